"""What a replay leaves: files of windows and alerts, and tables for people."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson
from rich import box
from rich.console import Console
from rich.table import Table

from app.messages import Message
from app.replay.history import SEVERITIES, History, Incident
from app.settings import FalseAlarmSettings
from app.timestamps import rfc3339

STYLES = {"critical": "bold red", "warning": "yellow", "info": "cyan"}
# Where the output is no terminal.
WIDTH = 160
DAY_MS = 86_400_000


class JsonLines:
    """The records of one topic in a file, one a line. However the replay ends, whole lines are in it."""

    def __init__(self, topic: str, path: Path) -> None:
        self.topic = topic
        self._file = path.open("wb")
        self._whole = 0

    def take(self, messages: Iterable[Message]) -> None:
        lines = [orjson.dumps(message.value) + b"\n" for message in messages if message.topic == self.topic]
        self._file.write(b"".join(lines))
        self._whole += sum(map(len, lines))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._file:
            self._file.flush()
            self._file.truncate(self._whole)


def tables() -> Console:
    """Where the tables go."""
    plain = Console(highlight=False)
    return plain if plain.is_terminal else Console(highlight=False, width=WIDTH)


def incidents(history: History) -> Table | str:
    """The incidents that would have been, oldest first; a sentence when there are none."""
    if not history.begun.total():
        return "No incidents: nothing in this file would have raised an alert."
    table = _table("began", "lasted", "severity", "rule", "version", "segment", "value", "what")
    for incident in sorted(history.incidents.values(), key=lambda one: one.start):
        table.add_row(*_row(incident), style=None if incident.severity == "info" else STYLES[incident.severity])
    if history.left_out:
        table.caption = f"and {history.left_out:,} more: see --alerts"
    return table


def _row(incident: Incident) -> Iterable[str]:
    yield rfc3339(incident.start)[:16].replace("T", " ")
    yield "open at the end" if incident.length_ms is None else duration(incident.length_ms)
    yield incident.severity
    yield incident.rule
    yield incident.version
    yield ", ".join(f"{name} {value}" for name, value in incident.segment.items()) or "all"
    yield "" if incident.value is None else f"{incident.value:.4g}"
    yield incident.summary


def budgets(histories: Mapping[float, History], holding: FalseAlarmSettings, span_ms: int) -> Table:
    """How many incidents each budget would have given over `span_ms`, by its alerts. `holding`: the configured one."""
    days = f"{holding.days:g} days"
    table = _table("false alarms allowed", *SEVERITIES, f"warning or worse in {days}")
    for alerts, history in sorted(histories.items()):
        told = history.begun["critical"] + history.begun["warning"]
        # Of an hour nobody can say what a month would have brought.
        rate = f"{told * holding.days * DAY_MS / span_ms:.3g}" if span_ms >= DAY_MS else ""
        counts = [f"{history.begun[severity]:,}" for severity in SEVERITIES]
        table.add_row(f"{alerts:g} in {days}", *counts, rate, style="bold" if alerts == holding.alerts else None)
    table.caption = f"{holding.alerts:g} in {days} is what is configured (false_alarms)"
    if span_ms < DAY_MS:
        table.caption += f"; less than a day is too short to say how many there would be in {days}"
    return table


def duration(ms: int) -> str:
    """In its two largest units."""
    parts = []
    rest = round(ms / 1000)
    for name, length in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        if rest >= length:
            parts.append(f"{rest // length} {name}")
            rest %= length
    return " ".join(parts[:2]) or "0 s"


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE, header_style="bold", caption_justify="left")
    for name in columns:
        table.add_column(name, overflow="fold")
    return table

"""How the demo looks: one screen that changes where there is a terminal, lines of text where there is none."""

from collections.abc import Mapping
from dataclasses import dataclass

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from app.simulation.story import PHASES, Story
from app.simulation.telling import clock, drift_scores, news, place_of, served
from app.timestamps import milliseconds

BARS = "▁▂▃▄▅▆▇█"
LOWEST = 0.6
GOOD, FAIR = 0.86, 0.80
# Population stability: below 0.1 the same, above 0.25 another population (the usual reading).
SHIFTED, CHANGED = 0.1, 0.25
WIDTH = 100
SHOWN_POINTS = 48
# Lines of a terminal from which on there is room for everything.
TALL = 38


@dataclass(frozen=True, slots=True)
class Room:
    """How much there is: rows of a table, characters between its columns and in the longest bar."""

    rows: int
    gap: int
    bar: int


SMALL, LARGE = Room(2, 1, 5), Room(4, 2, 10)
SEVERITY = {"critical": "bold red", "warning": "yellow", "info": "cyan"}
STATUS = {"champion": "green", "rejected": "red", "archived": "dim", "candidate": "cyan"}


def screen(
    story: Story, speed: Mapping[str, float], urls: Mapping[str, str], note: str, compact: bool = False
) -> RenderableType:
    """The whole view. `speed`: events a second by kind; `urls`: what to look at, by name; `note`: the last line.

    `compact`: for a terminal of 24 lines.
    """
    room = SMALL if compact else LARGE
    head = Group(_path(story.phase), *([] if compact else [Text()]), _world(story, speed), _curve(story))
    tables = _side_by_side(room, _drift(story, room), _segments(story, room), _machines(story, room))
    parts: list[RenderableType] = [
        head,
        _versions(story, room),
        tables,
        _incidents(story, room),
        _retraining(story, room),
        _links(urls, note),
    ]
    spaced = parts if compact else [part for one in parts for part in (one, Text())][:-1]
    return Panel(
        Group(*spaced),
        title=f"[bold]Inferwatch[/] monitors the model [bold]{story.model}[/]",
        box=box.ROUNDED,
        border_style="red" if story.phase in ("incident", "retraining") else "blue",
        width=WIDTH,
        padding=(0, 1) if compact else (1, 2),
    )


def _path(phase: str) -> Text:
    """Where the story is."""
    now = PHASES.index(phase)
    style = {"healthy": "green", "recovered": "green", "starting": "dim", "incident": "red"}.get(phase, "yellow")
    text = Text()
    for place, name in enumerate(PHASES[1:], 1):
        if place > 1:
            text.append(" → ", "dim")
        text.append(f" {name} " if place == now else name, f"reverse {style}" if place == now else "dim")
    return text


def _world(story: Story, speed: Mapping[str, float]) -> Text:
    told = f"{speed['predictions']:,.0f} predictions/s, {speed['labels']:,.0f} labels/s"
    if story.serving is None:
        return Text("The first model is being trained.", "dim")
    changed = story.chapters[-1].changed_ms if story.chapters else None
    since = f" since {clock(story, changed)}" if changed is not None else ""
    return Text(f"{told}  ·  version {story.serving} serves  ·  {story.era}{since}", "dim")


def _curve(story: Story) -> Text:
    """The accuracy of what was served, a bar for each window."""
    points = served(story)[-SHOWN_POINTS:]
    text = Text("accuracy  ")
    if not points:
        return text.append("no labels yet", "dim")
    last = points[-1].accuracy or 0.0
    text.append(f"{last:.3f}", f"bold {_colour(last)}")
    text.append("  ")
    for point in points:
        text.append(_bar(point.accuracy or 0.0), _colour(point.accuracy or 0.0))
    return text


def _bar(value: float) -> str:
    place = (value - LOWEST) / (1 - LOWEST) * len(BARS)
    return BARS[min(max(int(place), 0), len(BARS) - 1)]


def _colour(value: float) -> str:
    return "green" if value >= GOOD else "yellow" if value >= FAIR else "red"


def _versions(story: Story, room: Room) -> Table:
    table = _table(room, "version", "status", "requests/s", "accuracy", "estimated", "labelled", "p50", "p99", "errors")
    for name, record in sorted(story.latest.items(), key=lambda item: milliseconds(item[1]["end"]))[-room.rows :]:
        known = story.versions.get(name, {})
        status = known.get("status", "champion" if name == story.serving else "")
        values = record["metrics"]
        table.add_row(
            name,
            Text(status, STATUS.get(status, "")),
            _figure(values, "throughput_per_s", "{:,.0f}"),
            _figure(values, "accuracy", "{:.3f}"),
            _figure(values, "estimated_accuracy", "{:.3f}"),
            _figure(values, "label_coverage", "{:.0%}"),
            _figure(values, "latency_p50_ms", "{:.1f} ms"),
            _figure(values, "latency_p99_ms", "{:.1f} ms"),
            _figure(values, "error_rate", "{:.2%}"),
        )
    return table


def _figure(metrics: Mapping[str, float], name: str, form: str) -> str:
    return form.format(metrics[name]) if name in metrics else "-"


def _drift(story: Story, room: Room) -> Table:
    table = _table(room, "drift of", "", "PSI")
    scores = drift_scores(story)
    for name, score in scores[: room.rows + 1]:
        style = "red" if score >= CHANGED else "yellow" if score >= SHIFTED else "green"
        table.add_row(name, Text("█" * min(round(score * 2 * room.bar), room.bar), style), f"{score:.2f}")
    if not scores:
        table.add_row(Text("no baseline yet", "dim"))
    return table


def _segments(story: Story, room: Room) -> Table:
    table = _table(room, "segment", "accuracy")
    shown = {key: record for key, record in story.segments.items() if record["version"] == story.serving}
    for (_, value), record in sorted(shown.items())[: room.rows + 1]:
        share = record["metrics"].get("accuracy")
        table.add_row(value, "-" if share is None else Text(f"{share:.3f}", _colour(share)))
    return table


def _machines(story: Story, room: Room) -> Table:
    table = _table(room, "machine", "CPU", "memory")
    record = story.latest.get(story.serving or "", {})
    for name, figures in sorted(record.get("resources", {}).items()):
        memory = figures.get("memory_bytes")
        table.add_row(
            name,
            _figure(figures, "cpu_percent", "{:.0f} %"),
            "-" if memory is None else f"{memory / 2**20:,.0f} MiB",
        )
    return table


def _incidents(story: Story, room: Room) -> Table:
    table = _table(room, "incident", "", "value", "since", "")
    for alert in sorted(story.alerts.values(), key=lambda one: milliseconds(one["starts_at"]))[-room.rows :]:
        over = alert["state"] == "resolved"
        style = "dim" if over else SEVERITY[alert["severity"]]
        table.add_row(
            Text(alert["rule"], style),
            Text(place_of(alert), style),
            Text("" if alert["value"] is None else f"{alert['value']:.3g}", style),
            clock(story, milliseconds(alert["starts_at"])),
            Text(f"over at {clock(story, milliseconds(alert['ends_at']))}" if over else "open", style),
        )
    if not story.alerts:
        table.add_row(Text("none", "dim"))
    return table


def _retraining(story: Story, room: Room) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for line in news(story)[1 - room.rows :]:
        table.add_row("retraining", line)
    if not story.requests:
        table.add_row("retraining", Text("none asked for", "dim"))
    return table


def _links(urls: Mapping[str, str], note: str) -> Text:
    links = "   ".join(f"{name} {url}" for name, url in urls.items())
    return Text(f"{links}\n{note}", "dim", no_wrap=True, overflow="ellipsis")


def _table(room: Room, *columns: str) -> Table:
    table = Table(box=None, padding=(0, room.gap, 0, 0), header_style="dim")
    for name in columns:
        table.add_column(name, no_wrap=True)
    return table


def _side_by_side(room: Room, *tables: RenderableType) -> Table:
    grid = Table.grid(padding=(0, 2 * room.gap, 0, 0))
    grid.add_row(*tables)
    return grid

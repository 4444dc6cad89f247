"""All parts on `panes` of a trial, added up as close does it: pane by pane, as the ticks let it."""

from collections import Counter
from typing import Any

import orjson

from app.settings import Settings
from app.statistics.totals import Totals
from app.windowing.panes import ClosedPane, PaneBoard
from streams.reading import read
from streams.topics import topic_name

Cells = Counter[tuple[Any, ...]]


async def cells(settings: Settings) -> Cells:
    """Rows by kind of window, version, segment, pane, cohort and what they say; none that is 0."""
    boards: dict[int, PaneBoard] = {}
    found: Cells = Counter()
    async for record in read(settings.broker, topic_name(settings, "panes")):
        message = orjson.loads(record.value)
        board = boards.setdefault(record.partition, PaneBoard(settings.windows))
        board.add(message, record.offset)
        if "tick" in message:
            for pane in board.ready():
                _add(found, pane)
                board.forget(pane)
    for board in boards.values():
        end = {"tick": {"sources": [["predictions", 0, 1 << 60, 1 << 60, False]], "expected": {"predictions": 1}}}
        board.add(end, 1 << 60)
        for pane in board.ready():
            _add(found, pane)
    return Counter({cell: count for cell, count in found.items() if count})


def _add(found: Cells, pane: ClosedPane) -> None:
    for (version, segment), totals in pane.windows.items():
        found.update({("window", version, segment, pane.start, *cell): n for cell, n in _rows(totals).items()})
    for (version, segment, cohort), totals in pane.cohorts.items():
        found.update({("cohort", version, segment, pane.start, cohort, *cell): n for cell, n in _rows(totals).items()})


def _rows(totals: Totals) -> dict[tuple[str, ...], int]:
    corrected = totals.labels.corrected if totals.labels is not None else 0
    rows: dict[tuple[str, ...], int] = {
        ("predictions",): totals.predictions,
        ("labels",): totals.label_count,
        ("corrected",): corrected,
    }
    if totals.classification is not None:
        for predicted, said in totals.classification.state()["confusion"].items():
            rows |= {(predicted, label): round(count) for label, count in said.items()}
    return rows

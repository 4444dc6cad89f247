"""A worker in one process and without a broker: columns in, windows and alerts out.

The same code as a worker's: running totals of blocks, their parts on a board of panes, the monitor that closes them.
Rows come in the order of their time, so none is late. Two sources, predictions and labels, are each one partition.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import Ints, PredictionColumns
from app.drift.baseline import Baseline
from app.drift.timeline import NOTHING, Timeline
from app.joining.pairs import PairRun
from app.messages import Message
from app.monitor import Monitor
from app.outcome import Outcome
from app.settings import Settings
from app.sources.marks import later
from app.sources.watermarks import windows_end
from app.windowing.blocks import Block
from app.windowing.panes import PaneBoard

SOURCES = ("predictions", "labels")
# Closed panes at a time: what is open is packed as state each time, which nobody reads here.
PANES_AT_ONCE = 500
# Rows between two looks at what can be closed.
STEP_ROWS = 8192

Publish = Callable[[Sequence[Message]], None]


@dataclass(slots=True)
class _Source:
    """One side: its open block, and how many rows it has brought."""

    name: tuple[str, int]
    block: Block
    rows: int = 0


class Engine:
    """The monitor of `model`, fed with columns. `publish`: gets what a worker would send, in its order.

    `given`: the baseline that each version begins with, None where each collects its own from the first rows.
    """

    def __init__(self, model: str, settings: Settings, publish: Publish, given: Baseline | None = None) -> None:
        self.model = model
        self.settings = settings
        self.monitor = Monitor(model, settings, {})
        self.board = PaneBoard(settings.windows)
        self.joins = settings.model(model).join
        self.first: int | None = None
        self.latest: int | None = None
        """The smallest and the largest event time (ms) so far."""
        self.last_prediction: int | None = None
        self._publish = publish
        self._given = given
        self._baselines: dict[str, Timeline] = {}
        self._sources = {topic: _Source((topic, 0), self._block((topic, 0), 0)) for topic in SOURCES}
        self._position = 0
        self._watermark: int | None = None

    def edge(self, time: int) -> int:
        """The first watermark (ms) after `time` that closes a pane."""
        windows = self.settings.windows
        return (time - windows.lateness_ms) // windows.pane_ms * windows.pane_ms + windows.pane_ms + windows.lateness_ms

    def edge_before(self, time: int) -> int:
        """The last one up to `time`."""
        return self.edge(time) - self.settings.windows.pane_ms

    def waits(self, versions: Iterable[str]) -> bool:
        """Whether one of these versions, or of those before, has no baseline yet.

        It counts from what comes after it. So no row may be counted beyond an edge before what closes there is closed.
        """
        known = self._baselines
        return NOTHING in known.values() or any(version not in known for version in versions)

    def predictions(self, columns: PredictionColumns, counted: NDArray[np.bool_] | None = None) -> None:
        """Counts the rows where `counted` (n,), None: all."""
        source = self._sources["predictions"]
        source.block.count_predictions(columns, never(columns.size), counted)
        source.rows += columns.size
        self._reach(columns.timestamps)
        self.last_prediction = later(self.last_prediction, int(columns.timestamps.max()))

    def pairs(self, run: PairRun) -> None:
        """Counts pairs at the later of their times."""
        source = self._sources["labels"]
        source.block.count_pairs(run)
        source.block.examples_sent(self.model, run.pairs.version, 0, source.rows, run.pairs.size)
        source.rows += run.pairs.size
        self._reach(run.times)

    def advance(self, watermark: int) -> None:
        """All rows before `watermark` (ms) are counted: closes what is over by then."""
        if self._watermark is not None and watermark <= self._watermark:
            return
        self._watermark = watermark
        for source in self._sources.values():
            for message in source.block.parts(source.rows):
                self._add(message.value)
        lines = [[*source.name, source.rows, watermark, False] for source in self._sources.values()]
        self._add({"tick": {"sources": lines, "expected": dict.fromkeys(SOURCES, 1)}})
        closed = False
        while ready := self.board.ready(PANES_AT_ONCE):
            self._tell(self.monitor.close_panes(ready))
            for pane in ready:
                self.board.forget(pane)
            closed = True
        self._tell(self.monitor.advance(watermark, self._position))
        if closed:
            self._next_blocks()

    def finish(self) -> None:
        """Closes the last windows, as a worker does when its partitions have been idle."""
        if self.latest is not None:
            self.advance(windows_end(self.latest, self.settings.windows))

    def _reach(self, times: Ints) -> None:
        if len(times):
            self.first = int(times.min()) if self.first is None else min(self.first, int(times.min()))
            self.latest = later(self.latest, int(times.max()))

    def _add(self, message: dict[str, object]) -> None:
        self.board.add(message, self._position)
        self._position += 1

    def _next_blocks(self) -> None:
        """A block is a running total: with a new one, the totals of what is closed are given up."""
        for source in self._sources.values():
            source.block = self._block(source.name, source.block.number + 1)

    def _block(self, name: tuple[str, int], number: int) -> Block:
        return Block(name, number, self.settings, self._baseline_of)

    def _baseline_of(self, model: str, version: str) -> Timeline:
        if version not in self._baselines:
            self._baselines[version] = NOTHING
            if self._given is not None:
                self._take(replace(self._given, model=model, version=version, effective_from=None))
        return self._baselines[version]

    def _take(self, baseline: Baseline) -> None:
        self.monitor.baseline_arrived(baseline.to_record())
        self._hear(baseline)

    def _hear(self, baseline: Baseline) -> None:
        self._baselines[baseline.version] = self._baselines.get(baseline.version, NOTHING).heard(baseline)

    def _tell(self, outcome: Outcome) -> None:
        for baseline in _baselines(outcome.messages):
            self._hear(baseline)
        if outcome.messages:
            self._publish(outcome.messages)


def _baselines(messages: Iterable[Message]) -> list[Baseline]:
    """What was fitted from the first rows, as workers read it from `baselines`."""
    return [Baseline.from_record(message.value) for message in messages if message.topic == "baselines"]


def never(rows: int) -> Ints:
    """Watermarks before which nothing is late."""
    return np.full(rows, np.iinfo(np.int64).min)

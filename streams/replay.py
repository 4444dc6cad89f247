"""One replay of a file, from its columns to the tables: which way it is read, how far it is, what is told."""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from app.drift.baseline import Baseline
from app.files import Mistake, Table
from app.files.layout import Layout
from app.files.ordering import in_time_order
from app.files.parquet import ParquetTable
from app.messages import Message
from app.replay.columns import ColumnReader
from app.replay.counts import Counts
from app.replay.engine import Engine
from app.replay.history import History
from app.replay.order import obstacle
from app.replay.records import RecordReplay
from app.replay.table import TableReplay
from app.replay.tuning import Tuning
from app.settings import Settings
from app.timestamps import rfc3339
from streams.fileevents import FileEvents
from streams.interrupts import held_back
from streams.joins import JoinStore
from streams.progress import progress
from streams.replayed import JsonLines, budgets, incidents, tables


class Replay:
    """The rows of `table` through the monitoring of `settings`. `given`, `tune`: see `Engine` and `Tuning`.

    `console`: for progress, notes and mistakes; what comes of it goes to the output.
    """

    def __init__(
        self, table: Table, layout: Layout, settings: Settings, console: Console, given: Baseline | None, tune: bool
    ) -> None:
        self.table = table
        self.layout = layout
        self.settings = settings
        self.console = console
        self.history = History()
        self.mistaken = 0
        self._counts = Counts()
        self._takers: list[Callable[[Sequence[Message]], None]] = [self.history.take]
        self._engine = Engine(layout.model, settings, self._publish, given)
        self._tuning = Tuning(self._engine.monitor, settings) if tune else None

    def run(self, outputs: Mapping[str, Path | None]) -> None:
        """Replays all rows, and tells what came of it; of those before it when it is interrupted.

        `outputs`: where to write the records of a topic.
        """
        with ExitStack() as files:
            for topic, path in outputs.items():
                if path is not None:
                    self._takers.append(files.enter_context(JsonLines(topic, path)).take)
            begun = time.monotonic()
            try:
                self._feed()
                self._end()
            except KeyboardInterrupt:
                self.console.print("Interrupted: what follows is of the rows before.")
                raise
            finally:
                self._tell(time.monotonic() - begun)

    def _feed(self) -> None:
        if not isinstance(self.table, ParquetTable):
            self._feed_records()
            return
        reader = ColumnReader(self.table, self.layout, self.settings)
        why_not = obstacle(self.table, reader)
        if why_not is None:
            self._feed_columns(self.table, reader)
        else:
            self.console.print(f"{self.table.path}: {why_not}, so its rows are sorted and joined one by one.")
            self._feed_records()

    def _feed_columns(self, table: ParquetTable, reader: ColumnReader) -> None:
        replay = TableReplay(self._engine, reader, self._mistake)
        self._counts = replay.counts
        with progress("replaying", table.size, self.console) as advanced:
            replay.run(table, advanced)

    def _feed_records(self) -> None:
        found = FileEvents(self.table, self.layout, self.console.print)
        with tempfile.TemporaryDirectory(prefix="inferwatch-") as directory, ExitStack() as closing:
            with progress("reading", self.table.size, self.console) as advanced:
                events = in_time_order(found.read(advanced))
                first = next(events, None)  # comes when all is read
            self.mistaken = found.mistaken
            store = JoinStore(Path(directory), self.settings.labels.horizon_s)
            closing.callback(store.close)
            replay = RecordReplay(self._engine, store, self._refused)
            self._counts = replay.counts
            with progress("replaying", found.counts.total(), self.console) as advanced:
                replay.run(events if first is None else (one for part in ([first], events) for one in part), advanced)

    def _end(self) -> None:
        last = self._engine.last_prediction
        for history in (self.history, *(self._tuning.histories.values() if self._tuning else ())):
            if last is not None:
                history.end(last)

    def _publish(self, messages: Sequence[Message]) -> None:
        with held_back():  # what is told of is also written
            for take in self._takers:
                take(messages)

    def _mistake(self, mistake: Mistake) -> None:
        self.mistaken += 1
        self.console.print(f"{self.table.path}:{mistake.row}: {mistake.what}")

    def _refused(self, what: str) -> None:
        self.mistaken += 1
        self.console.print(f"{self.table.path}: {what}")

    def _tell(self, seconds: float) -> None:
        counts, engine, told = self._counts, self._engine, tables()
        told.print(
            f"Replayed {counts.predictions:,} predictions and {counts.pairs:,} labels of {self.layout.model} in "
            f"{seconds:.1f} s: {self.history.windows:,} windows, {self.history.requests:,} retraining requests."
        )
        if engine.first is not None and engine.latest is not None:
            told.print(f"Their time is from {rfc3339(engine.first)} to {rfc3339(engine.latest)}.")
        if counts.repeated:
            told.print(f"{counts.repeated:,} predictions repeat an id: the first of each counts.")
        if counts.labels > counts.pairs and engine.joins:
            told.print(f"{counts.labels - counts.pairs:,} labels found no prediction that still waited for one.")
        told.print(incidents(self.history))
        if self._tuning is not None:
            span_ms = 0 if engine.first is None or engine.latest is None else engine.latest - engine.first
            told.print(budgets(self._tuning.histories, self.settings.false_alarms, span_ms))

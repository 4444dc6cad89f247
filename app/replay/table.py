"""The short way of a replay: a Parquet file whose rows stand in the order of their time, as columns."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from app.decoding.columns import Ints, PredictionColumns
from app.files.parquet import ParquetTable
from app.files.table import Mistake
from app.joining.pairs import pair_run
from app.replay.cells import Cells, present
from app.replay.columns import ColumnReader
from app.replay.counts import Counts
from app.replay.engine import STEP_ROWS, Engine, never
from app.replay.pending import HELD_ROWS, Pending


class TableReplay:
    """A file's columns -> an engine. `tell`: gets what is wrong with single rows, which are left out.

    `held_rows`: of those that wait for the time of their label, how many may be in memory.
    """

    def __init__(
        self, engine: Engine, reader: ColumnReader, tell: Callable[[Mistake], None], held_rows: int = HELD_ROWS
    ) -> None:
        self.engine = engine
        self.reader = reader
        self.counts = Counts()
        self._tell = tell
        self._pending = Pending(held_rows)
        self._horizon_ms = engine.settings.labels.horizon_ms

    def run(self, table: ParquetTable, advanced: Callable[[int], None]) -> None:
        """Replays all rows; calls `advanced` with how many more are counted."""
        first = 0
        for batch in table.batches(self.reader.columns, STEP_ROWS):
            cells, times = self._good(batch, first)
            first += len(batch)
            if len(cells):
                self._pass(cells, times)
            advanced(len(batch))
        self._count_pending(np.iinfo(np.int64).max)
        self.engine.finish()

    def _pass(self, cells: Cells, times: Ints) -> None:
        """Counts the rows, in pieces between the edges of panes where a version has no baseline yet."""
        start = 0
        while start < len(cells) and self.engine.waits(cells.versions):
            first = int(times[start])
            self._close(self.engine.edge_before(first))
            end = int(np.searchsorted(times, self.engine.edge(first)))
            piece = slice(start, end)
            self._step(self.reader.cells(cells.batch[piece]), times[piece])
            start = end
        if start < len(cells):
            rest = cells if not start else self.reader.cells(cells.batch[start:])
            self._step(rest, times[start:])
            self._close(int(times[-1]))

    def _step(self, cells: Cells, times: Ints) -> None:
        watermark = int(times[-1])
        # Rows with mistakes have no offsets: `publish` would not send them.
        offsets = np.arange(self.counts.predictions, self.counts.predictions + len(cells))
        for version, own, (own_times, own_offsets) in self.reader.versions(cells, times, offsets):
            columns = self.reader.tabulate(version, own, own_times, own_offsets)
            self.engine.predictions(columns)
            self.counts.predictions += columns.size
            if self.engine.joins:
                self._join(own, columns, watermark)

    def _close(self, watermark: int) -> None:
        self._count_pending(watermark)
        self.engine.advance(watermark)

    def _good(self, rows: pa.RecordBatch, first: int) -> tuple[Cells, Ints]:
        """The rows without mistakes, with their times. The others are told."""
        cells = self.reader.cells(rows)
        times, untimely = self.reader.times(cells, first)
        mistakes = self.reader.mistakes(cells, untimely, first)
        if not mistakes:
            return cells, times
        for _, mistake in sorted(mistakes.items()):
            self._tell(mistake)
        good = ~np.isin(np.arange(len(rows)), list(mistakes))
        return self.reader.cells(rows.filter(pa.array(good))), times[good]

    def _join(self, cells: Cells, columns: PredictionColumns, watermark: int) -> None:
        """Counts the pairs of these rows, or has them wait for the time of their labels."""
        times = columns.timestamps
        known, _ = cells.label_times(times)
        # What waits for longer than the horizon finds nothing any more, whichever of the two it is.
        joined = cells.paired & (np.abs(known - times) <= self._horizon_ms)
        self.counts.labels += int(present(cells.labels).sum())
        if joined.all() and known.max() <= watermark:
            self._count(columns, cells, known)
        elif joined.any():
            self._pending.add(cells.batch.filter(pa.array(joined)), times[joined], known[joined])

    def _count_pending(self, watermark: int) -> None:
        """Counts the pairs that are due, in pieces that fit into memory."""
        while (limit := self._pending.reach()) is not None and limit < watermark:
            self._count_due(limit)
            self.engine.advance(limit)
        self._count_due(watermark)

    def _count_due(self, limit: int) -> None:
        for rows, times, known in self._pending.due(limit):
            cells = self.reader.cells(rows)
            for version, own, (own_times, own_known) in self.reader.versions(cells, times, known):
                self._count(self.reader.tabulate(version, own, own_times, own_times), own, own_known)

    def _count(self, columns: PredictionColumns, cells: Cells, known: Ints) -> None:
        run = pair_run(columns, cells.labels, known, never(columns.size), np.arange(columns.size))
        self.engine.pairs(run)
        self.counts.pairs += columns.size

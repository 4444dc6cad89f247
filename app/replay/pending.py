"""Predictions that wait for the time of their label: sorted runs of rows, on disk where there are many.

What a join keeps in its store for a worker. Here the labels are known beforehand: only their time has to come.
"""

import tempfile
from collections.abc import Iterator
from typing import IO

import numpy as np
import pyarrow as pa

from app.decoding.columns import Ints
from app.files.arrow import plain

# Rows in memory; more than that wait in temporary files.
HELD_ROWS = 131_072
# What is left of so many batches is put together: a slice keeps all of its batch in memory.
HELD_BATCHES = 32
BATCH_ROWS = 8192
# Beside the file's own columns, whose names they can't have.
DUE, AT, KNOWN = "\0due", "\0at", "\0known"


class Pending:
    """Rows by the time (ms) at which they are due. At most about `held_rows` of them are in memory."""

    def __init__(self, held_rows: int = HELD_ROWS) -> None:
        self._held_rows = held_rows
        self._held: list[pa.RecordBatch] = []
        self._runs: list[_Run] = []

    def add(self, rows: pa.RecordBatch, times: Ints, label_times: Ints) -> None:
        """`times`, `label_times`: (n,) of the predictions and their labels; they are due at the later of the two."""
        names, columns = rows.schema.names, [plain(column) for column in rows.columns]
        own = [pa.array(column) for column in (np.maximum(times, label_times), times, label_times)]
        self._held.append(_sorted(pa.record_batch([*columns, *own], [*names, DUE, AT, KNOWN])))
        if (count := sum(map(len, self._held))) > self._held_rows or len(self._held) > HELD_BATCHES:
            whole = _sorted(pa.concat_batches(self._held))
            self._held = []
            if count > self._held_rows:
                self._runs.append(_Run(whole))
            else:
                self._held.append(whole)

    def reach(self) -> int | None:
        """Up to which time what is due is little enough to be taken out at once; None when nothing waits."""
        ends = [
            _due(rows)[min(len(rows), BATCH_ROWS) - 1] for rows in (*self._held, *(run.head() for run in self._runs))
        ]
        return int(min(ends)) if ends else None

    def due(self, limit: int) -> Iterator[tuple[pa.RecordBatch, Ints, Ints]]:
        """Takes out what is due up to `limit`: rows with the times of the predictions and of their labels."""
        for run in self._runs:
            yield from map(_split, run.due(limit))
        self._runs = [run for run in self._runs if run.rows_left]
        held, self._held = self._held, []
        for rows in held:
            ready = _count(rows, limit)
            if ready < len(rows):
                self._held.append(rows[ready:])
            if ready:
                yield _split(rows[:ready])


class _Run:
    """Sorted rows in a temporary file, read from its beginning, a batch at a time."""

    def __init__(self, rows: pa.RecordBatch) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="inferwatch-")  # noqa: SIM115  it outlives this call
        with pa.ipc.new_stream(self._file, rows.schema) as writer:
            for start in range(0, len(rows), BATCH_ROWS):
                writer.write_batch(rows[start : start + BATCH_ROWS])
        self._file.seek(0)
        self._reader = pa.ipc.open_stream(self._file)
        self._head: pa.RecordBatch | None = None
        self.rows_left = len(rows)

    def head(self) -> pa.RecordBatch:
        """What comes next, while there are rows left."""
        if self._head is None:
            self._head = self._reader.read_next_batch()
        return self._head

    def due(self, limit: int) -> Iterator[pa.RecordBatch]:
        while self.rows_left:
            rows = self.head()
            ready = _count(rows, limit)
            self.rows_left -= ready
            self._head = rows[ready:] if ready < len(rows) else None
            if ready:
                yield rows[:ready]
            if self._head is not None:
                return
        self._file.close()


def _due(rows: pa.RecordBatch) -> Ints:
    times: Ints = rows.column(DUE).to_numpy()
    return times


def _count(rows: pa.RecordBatch, limit: int) -> int:
    """How many of the sorted rows are due."""
    return int(np.searchsorted(_due(rows), limit, side="right"))


def _sorted(rows: pa.RecordBatch) -> pa.RecordBatch:
    due = _due(rows)
    return rows if (np.diff(due) >= 0).all() else rows.take(pa.array(np.argsort(due, kind="stable")))


def _split(rows: pa.RecordBatch) -> tuple[pa.RecordBatch, Ints, Ints]:
    own = rows.select([name for name in rows.schema.names if name not in (DUE, AT, KNOWN)])
    return own, rows.column(AT).to_numpy(), rows.column(KNOWN).to_numpy()

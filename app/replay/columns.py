"""Batches of a Parquet file -> columns for the statistics, without an object of Python's for each cell.

What comes out is what `app/files/rows.py` and the decoder make of the same rows. Where a batch holds something odd,
the rows in question are read one by one, for the words in which `publish` tells a mistake; the others go on as columns.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from app.decoding.columns import Floats, Ints, PredictionColumns, Probabilities
from app.decoding.tabulate import class_names
from app.files.arrow import Mask, is_number, is_text, values
from app.files.checked import RowMistake
from app.files.layout import Layout
from app.files.parquet import ParquetTable
from app.files.rows import RowReader
from app.files.table import Mistake
from app.replay.cells import Cells
from app.settings import Settings

NUMBERS = ("latency_ms", "weight")
NAMES = ("prediction", "label", "version")
TIMES = ("timestamp", "label_timestamp")


def unreadable(table: ParquetTable, layout: Layout) -> str | None:
    """A column of a type that is not read as a column here, None when all are. The general way reads every file."""
    used = (field for field in table.schema if field.name not in layout.ignored)
    return next((field.name for field in used if not _fits(field.name, field.type, layout)), None)


def _fits(name: str, kind: pa.DataType, layout: Layout) -> bool:
    number, text, truth = is_number(kind), is_text(kind), bool(pa.types.is_boolean(kind))
    if pa.types.is_null(kind):
        return name != "timestamp"
    if name in TIMES:
        return number or text or bool(pa.types.is_timestamp(kind))
    if name in NUMBERS or name in layout.probability_columns:
        return number
    if name in NAMES or name in layout.segments:
        return number or text or truth
    if name == "error":
        return text or truth
    if name == "prediction_id":
        return text or bool(pa.types.is_integer(kind))
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    listed = any(is_list(kind) for is_list in lists) and is_number(kind.value_type)
    return number or text or truth or listed or bool(pa.types.is_temporal(kind))


class ColumnReader:
    """Reads batches of `table` as columns of `layout`."""

    def __init__(self, table: ParquetTable, layout: Layout, settings: Settings) -> None:
        model = settings.model(layout.model)
        self.layout = layout
        self.columns = [name for name in table.columns if name not in layout.ignored]
        self.rows = RowReader(table.path.name, layout)
        self._first = table.first
        self._features = [name for name in self.columns if name not in layout.not_features][: model.max_features]
        self._texts = frozenset(model.text)
        numeric = "prediction" in self.columns and is_number(table.schema.field("prediction").type)
        self._task = layout.task or ("regression" if numeric else "classification")

    def cells(self, batch: pa.RecordBatch) -> Cells:
        return Cells(batch, self.columns, self.layout, self.rows)

    def times(self, cells: Cells, first: int) -> tuple[Ints, Mask]:
        """Event time (ms) of each row, and where that is none. `first`: how many rows of the file are before these."""
        if self.layout.time_column is not None:
            return cells.times(self.layout.time_column)
        numbers = range(self._first + first, self._first + first + len(cells))
        return np.array([self.layout.time_of(number) for number in numbers], np.int64), np.zeros(len(cells), np.bool_)

    def mistakes(self, cells: Cells, untimely: Mask, first: int) -> dict[int, Mistake]:
        """What is wrong with which rows. `untimely`: (n,) those that have no time."""
        suspects = np.flatnonzero(untimely | cells.odd(self._features))
        if not len(suspects):
            return {}
        rows = cells.batch.take(pa.array(suspects))
        columns = [values(rows.column(name)) for name in self.columns]
        found = {}
        for place, row in zip(suspects.tolist(), zip(*columns, strict=True), strict=True):
            number = self._first + first + place
            try:
                self.rows.events(number, dict(zip(self.columns, row, strict=True)))
            except RowMistake as mistake:
                found[place] = Mistake(number, str(mistake))
        return found

    def versions(self, cells: Cells, *columns: Ints) -> Iterator[tuple[str, Cells, tuple[Ints, ...]]]:
        """Rows without mistakes, one version after another, in the order of their coming. `columns`: (n,) each."""
        distinct = list(dict.fromkeys(cells.versions))
        if len(distinct) == 1:
            yield distinct[0], cells, columns
            return
        for version in distinct:
            mask = np.array([one == version for one in cells.versions])
            own = self.cells(cells.batch.filter(pa.array(mask)))
            yield version, own, tuple(column[mask] for column in columns)

    def tabulate(self, version: str, cells: Cells, times: Ints, offsets: Ints) -> PredictionColumns:
        """Rows of one version without mistakes. Ids are left out: where they are distinct nothing depends on them."""
        regression = self._task == "regression"
        nothing: list[str | None] = [None] * len(cells)
        segments = cells.segments.items()
        return PredictionColumns(
            model=self.layout.model,
            version=version,
            task=self._task,
            offsets=offsets,
            timestamps=times,
            ids=[],
            failed=cells.failed,
            weights=_weights(cells.weights),
            latency_ms=cells.latency_ms,
            features={name: cells.feature(name, name in self._texts) for name in self._features},
            as_sent=cells.said,
            predicted=nothing if regression else class_names(cells.said),
            values=np.array(cells.said if regression else nothing, np.float64),
            probabilities=self._probabilities(cells.shares),
            segments={name: own for name, own in segments if any(value is not None for value in own)},
        )

    def _probabilities(self, shares: dict[str, Floats]) -> Probabilities | None:
        if not shares:
            return None
        if self.layout.negative is not None:
            [positive] = shares.values()
            shares = shares | {self.layout.negative: 1 - positive}
        classes = tuple(sorted(shares))
        return Probabilities(classes, np.stack([shares[name] for name in classes], axis=1))


def _weights(weights: Floats) -> Floats | None:
    return None if np.isnan(weights).all() else np.where(np.isnan(weights), 1.0, weights)

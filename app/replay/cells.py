"""One batch of a file, converted column by column, each once: what its cells mean, and where one may be a mistake."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from app.decoding.columns import FeatureColumn, Floats, Ints, Kind
from app.decoding.tabulate import LONGEST_PROSE, LONGEST_TEXT, feature_column
from app.files.arrow import Mask, floats, is_number, is_text, mapped, milliseconds, values
from app.files.checked import LARGEST_WEIGHT, RowMistake, feature_in, is_missing, name_in, time_in
from app.files.layout import Layout
from app.files.rows import LONGEST_ID, RowReader
from app.sources.watermarks import LARGEST, event_times
from app.timestamps import milliseconds_of

# What a cell means that makes its row a mistake.
WRONG = object()


class Cells:
    """The n rows of `batch`, of which `columns` are used. All arrays and lists are (n,)."""

    def __init__(self, batch: pa.RecordBatch, columns: Sequence[str], layout: Layout, rows: RowReader) -> None:
        self.batch = batch
        self.layout = layout
        self._held = frozenset(columns)
        self._rows = rows

    def __len__(self) -> int:
        return len(self.batch)

    @cached_property
    def said(self) -> list[Any]:
        """Predictions as on the wire: None where there is none, WRONG where it is none."""
        return self._outcome("prediction")

    @cached_property
    def labels(self) -> list[Any]:
        """Labels likewise."""
        return self._outcome("label")

    @cached_property
    def failed(self) -> Mask:
        if "error" not in self._held:
            return np.zeros(len(self), np.bool_)
        return np.array(mapped(self.batch.column("error"), lambda error: error not in (None, False, "")), np.bool_)

    @cached_property
    def paired(self) -> Mask:
        """Where there is a label, and a prediction to compare it with."""
        return present(self.said) & present(self.labels)

    @cached_property
    def latency_ms(self) -> Floats:
        return self._floats("latency_ms")

    @cached_property
    def weights(self) -> Floats:
        """NaN where absent."""
        return self._floats("weight")

    @cached_property
    def shares(self) -> dict[str, Floats]:
        """Class -> probability, NaN where absent; only those that any row has."""
        found = {name: self._floats(column) for column, name in self.layout.probability_columns.items()}
        return {name: own for name, own in found.items() if not np.isnan(own).all()}

    @cached_property
    def versions(self) -> list[Any]:
        return self._names("version", self.layout.version)

    @cached_property
    def segments(self) -> dict[str, list[Any]]:
        return {name: self._names(name, None) for name in self.layout.segments}

    def times(self, name: str) -> tuple[Ints, Mask]:
        """A column of times in ms, and where that is none."""
        return _times(self.batch.column(name), name)

    def label_times(self, times: Ints) -> tuple[Ints, Mask]:
        """When each label came, and where that is no time. `times`: of the predictions."""
        delayed = times + self.layout.label_delay_ms
        if "label_timestamp" not in self._held:
            return delayed, np.zeros(len(self), np.bool_)
        missing = _missing(self.batch.column("label_timestamp"))
        if missing.all():
            return delayed, ~missing
        found, wrong = self.times("label_timestamp")
        return np.where(missing, delayed, found), wrong & ~missing

    def feature(self, name: str, prose: bool) -> FeatureColumn:
        """`prose`: whether it is configured as text."""
        longest = LONGEST_PROSE if prose else LONGEST_TEXT
        column = self.batch.column(name)
        if is_number(column.type):
            numbers = floats(column)
            missing = np.isnan(numbers)
            kinds = np.where(missing, Kind.MISSING, Kind.NUMBER).astype(np.uint8) if missing.any() else Kind.NUMBER
            return FeatureColumn(kinds, numbers, None)
        if _is_plain(column.type):
            return feature_column(values(column), longest)
        return feature_column([_on_the_wire(name, value) for value in values(column)], longest)

    def odd(self, features: Sequence[str]) -> Mask:
        """Where a row may be a mistake, but for its time. What is not odd is none."""
        odd = _outside(self.latency_ms, 0, np.inf) | _outside(self.weights, 0, LARGEST_WEIGHT) | (self.weights <= 0)
        for share in self.shares.values():
            odd |= _outside(share, 0, 1)
        for names in (self.versions, *self.segments.values(), self.said, self.labels):
            odd |= wrong(names)
        for name in features:
            odd |= _odd_feature(self.batch.column(name))
        odd |= ~(present(self.said) | self.failed) | self._long_ids()
        return odd | self.label_times(np.zeros(len(self), np.int64))[1]

    def _outcome(self, name: str) -> list[Any]:
        if name not in self._held:
            return [None] * len(self)
        column = self.batch.column(name)
        if is_number(column.type) and self.layout.task != "classification":
            numbers = floats(column)
            found: list[Any] = numbers.tolist()
            for place in np.flatnonzero(~np.isfinite(numbers)).tolist():
                found[place] = None if numbers[place] != numbers[place] else WRONG
            return found
        return mapped(column, _tried(lambda value: self._rows.outcome(name, value)))

    def _floats(self, name: str) -> Floats:
        return floats(self.batch.column(name)) if name in self._held else np.full(len(self), np.nan)

    def _names(self, name: str, usual: str | None) -> list[Any]:
        if name not in self._held:
            return [usual] * len(self)
        return mapped(self.batch.column(name), _tried(lambda value: name_in(name, value) or usual))

    def _long_ids(self) -> Mask:
        if "prediction_id" not in self._held or not is_text(self.batch.column("prediction_id").type):
            return np.zeros(len(self), np.bool_)
        lengths = pc.utf8_length(self.batch.column("prediction_id").cast(pa.large_string()))
        found: Mask = pc.fill_null(pc.greater(lengths, LONGEST_ID), False).to_numpy(zero_copy_only=False)
        return found


def wrong(meanings: Sequence[Any]) -> Mask:
    if WRONG not in meanings:
        return np.zeros(len(meanings), np.bool_)
    return np.fromiter((meaning is WRONG for meaning in meanings), np.bool_, len(meanings))


def present(meanings: Sequence[Any]) -> Mask:
    if None not in meanings:
        return np.ones(len(meanings), np.bool_)
    return np.fromiter((meaning is not None for meaning in meanings), np.bool_, len(meanings))


def _is_plain(kind: pa.DataType) -> bool:
    return is_text(kind) or bool(pa.types.is_boolean(kind) or pa.types.is_null(kind))


def _times(column: pa.Array, name: str) -> tuple[Ints, Mask]:
    if pa.types.is_timestamp(column.type):
        times, none = milliseconds(column)
        return times, none | (times < 0)
    if is_number(column.type):
        numbers = floats(column)
        none = ~(np.abs(numbers) < LARGEST)
        times = event_times(np.where(none, 0.0, numbers).tolist())
        return times, none | (times < 0)
    texts = values(column)
    found = None if None in texts or not texts else milliseconds_of(texts)
    if found is not None:
        return found, found < 0
    each = [_tried(lambda value: time_in(name, value))(text) for text in texts]
    return np.array([-1 if one is WRONG else one for one in each], np.int64), wrong(each)


def _missing(column: pa.Array) -> Mask:
    if is_number(column.type):
        return np.isnan(floats(column))
    if is_text(column.type):
        return wrong(mapped(column, lambda value: WRONG if is_missing(value) else value))
    found: Mask = column.is_null().to_numpy(zero_copy_only=False)
    return found


def _on_the_wire(name: str, value: Any) -> Any:
    found = None if value is None else feature_in(name, value)
    return [float(element) for element in found] if isinstance(found, list) else found


def _odd_feature(column: pa.Array) -> Mask:
    if pa.types.is_floating(column.type):
        return np.isinf(floats(column))
    if is_number(column.type) or _is_plain(column.type):
        return np.zeros(len(column), np.bool_)
    return wrong([_tried(lambda value: _on_the_wire("", value))(value) for value in values(column)])


def _outside(numbers: Floats, least: float, most: float) -> Mask:
    return (numbers < least) | (numbers > most) | np.isinf(numbers)


def _tried(meaning: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`meaning`, and WRONG where it finds a mistake."""

    def tried(value: Any) -> Any:
        try:
            return meaning(value)
        except RowMistake:
            return WRONG

    return tried

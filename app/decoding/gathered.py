"""Records of one shape, portion after portion -> columns. Of the records themselves nothing is kept."""

from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate, chain, pairwise, starmap
from operator import attrgetter
from struct import Struct
from struct import error as StructError
from types import NoneType
from typing import Any

import msgspec
import numpy as np
from msgspec import UnsetType

from app.decoding.columns import FeatureColumn, Floats, Ints, PredictionColumns, Probabilities
from app.decoding.shapes import Shape, field_name
from app.decoding.tabulate import class_names, failures, named_columns, number_column, numeric_column, weight_column
from app.settings import Settings
from app.sources.watermarks import event_times
from app.timestamps import milliseconds_of

NOTHING = {NoneType}
UNNAMED = {UnsetType}
TEXTS = {str, NoneType}
astuple = msgspec.structs.astuple


class NotPlain(Exception):
    """There is something that only the general way of decoding knows."""


class Gathered:
    """One version of the model of `shape`."""

    def __init__(self, shape: Shape, version: str, settings: Settings) -> None:
        self.shape, self.version = shape, version
        self.settings = settings.model(shape.model)
        self._numeric = shape.numeric
        self._rows: list[Ints] = []
        self._ids: list[str] = []
        self._moments: list[str | float] = []
        self._predictions: list[Any] = []
        self._errors: list[Any] = []
        self._weights: list[float | None] = []
        self._latency_ms: list[Floats] = []
        self._matrices: list[Floats] = []
        self._features: list[list[Any]] = [[] for _ in shape.features]
        """Of a shape that is numeric matrices, (n, features) each; of others a list a feature."""
        self._shares: list[Floats] = []
        self._given: set[bool] = set()
        """Whether records have probabilities."""
        wanted = self.settings.segments
        self._has_segments = wanted is None or not shape.segments.keys().isdisjoint(wanted)
        self._segments: list[list[Any]] = [[] for _ in shape.segments]
        self._texts: dict[str | None, str | None] = {}
        """Each class and segment once: of equal texts the first is kept, and whoever looks at them finds it at hand."""

    def add(self, records: Sequence[Any], rows: Ints) -> None:
        """`rows`: (n,) the places of these records among all of the chunk. Raises NotPlain."""
        # One list an attribute: to transpose tuples of all attributes takes three times as long.
        predictions = self._once(self.shape.prediction, [record.prediction for record in records])
        errors = [record.error for record in records]
        if None in predictions and any(p is None and e is None for p, e in zip(predictions, errors, strict=True)):
            raise NotPlain
        self._rows.append(rows)
        self._ids += [record.prediction_id for record in records]
        self._moments += [record.timestamp for record in records]
        self._predictions += predictions
        self._errors += errors
        self._weights += [record.weight for record in records]
        self._latency_ms.append(number_column([record.latency_ms for record in records]))
        self._add_features([record.features for record in records])
        self._add_shares([record.probabilities for record in records])
        if self._has_segments:
            self._add_segments([record.segments for record in records])

    def rows(self) -> Ints:
        """(n,) the places of all of them."""
        return np.concatenate(self._rows)

    def columns(self, offsets: Ints) -> PredictionColumns:
        """`offsets`: (n,) of `rows`. Raises NotPlain."""
        predictions = self._predictions
        task = self._task()
        nothing: list[str | None] = [None] * len(predictions)
        return PredictionColumns(
            model=self.shape.model,
            version=self.version,
            task=task,
            offsets=offsets,
            timestamps=_times(self._moments),
            ids=self._ids,
            failed=failures(self._errors),
            weights=weight_column(self._weights),
            latency_ms=np.concatenate(self._latency_ms),
            features=self._feature_columns(self.settings.text),
            as_sent=predictions,
            predicted=class_names(predictions) if task == "classification" else nothing,
            values=number_column(predictions) if task == "regression" else np.full(len(predictions), np.nan),
            probabilities=self._probabilities(),
            segments=self._segment_columns(),
        )

    def _task(self) -> str:
        configured = self.settings.task
        kinds = set(map(type, self._predictions))
        if configured == "classification" or (configured is None and float not in kinds):
            return "classification"
        if configured == "regression" and kinds <= {float, NoneType}:
            return "regression"
        if configured is None and kinds == {float} and len(self._given) == 1:
            return "classification" if self._given == {True} else "regression"
        raise NotPlain

    def _add_features(self, rows: Sequence[Any]) -> None:
        if self._numeric:
            self._matrices.append(_matrix(rows, len(self.shape.features)))
            return
        for known, more in zip(self._features, _field_columns(rows, len(self._features)), strict=True):
            known += more

    def _feature_columns(self, texts: Collection[str]) -> dict[str, FeatureColumn]:
        """The features that any of the records names, in the shape's order."""
        if self._numeric:
            columns: Any = _transposed(self._matrices)
            found = {name: numeric_column(column) for name, column in zip(self.shape.features, columns, strict=True)}
            return {name: column for name, column in found.items() if column is not None}
        named = zip(self.shape.features, self._features, strict=True)
        return named_columns(((name, values) for name, values in named if set(map(type, values)) != UNNAMED), texts)

    def _add_shares(self, rows: Sequence[Any]) -> None:
        width = len(self.shape.classes)
        kinds = set(map(type, rows))
        self._given |= {kind is not NoneType for kind in kinds}
        if NoneType in kinds:
            absent = (np.nan,) * width
            given = [absent if row is None else astuple(row) for row in rows]
            self._shares.append(np.array(given, np.float64).reshape(len(rows), width))
        else:
            self._shares.append(_matrix(rows, width))

    def _probabilities(self) -> Probabilities | None:
        if True not in self._given:
            return None
        classes = self.shape.classes
        order = sorted(range(len(classes)), key=classes.__getitem__)
        return Probabilities(tuple(classes[place] for place in order), np.concatenate(self._shares)[:, order])

    def _add_segments(self, rows: Sequence[Any]) -> None:
        kinds = set(map(type, rows))
        if kinds == NOTHING:
            for known in self._segments:
                known += rows
            return
        if NoneType in kinds:
            nothing = (kinds - NOTHING).pop()()
            rows = [nothing if row is None else row for row in rows]
        values = _field_columns(rows, len(self._segments))
        for known, allowed, more in zip(self._segments, self.shape.segments.values(), values, strict=True):
            known += self._once(allowed, more)

    def _once(self, kinds: Collection[type], values: list[Any]) -> list[Any]:
        """The same values, of these kinds; if they are texts, equal ones are one."""
        return list(map(self._texts.setdefault, values, values)) if TEXTS.issuperset(kinds) else values

    def _segment_columns(self) -> dict[str, list[str | None]]:
        if not self._has_segments:
            return {}
        named = zip(self.shape.segments, self._segments, strict=True)
        return {name: class_names(values) for name, values in named if set(map(type, values)) != NOTHING}


def _times(moments: Sequence[str | float]) -> Ints:
    kinds = set(map(type, moments))
    if kinds == {float}:
        return event_times(moments)  # type: ignore[arg-type]
    times = milliseconds_of(moments) if kinds == {str} else None  # type: ignore[arg-type]
    if times is None:
        raise NotPlain
    return times


def _field_columns(rows: Sequence[Any], count: int) -> Iterator[list[Any]]:
    """The values of each field over `rows`. Tuples of all fields are not made for it."""
    return (list(map(attrgetter(field_name(place)), rows)) for place in range(count))


def _transposed(matrices: Sequence[Floats]) -> Floats:
    """(width, n) of the rows of all, so that a column is read without strides.

    Portion after portion, which the processor has at hand: to turn all of it at once takes many times as long.
    """
    starts = list(accumulate(map(len, matrices), initial=0))
    columns = np.empty((matrices[0].shape[1], starts[-1]))
    for matrix, (start, end) in zip(matrices, pairwise(starts), strict=True):
        columns[:, start:end] = matrix.T
    return columns


def _matrix(rows: Sequence[Any], width: int) -> Floats:
    """(n, width), NaN for a null."""
    try:
        flat = np.frombuffer(b"".join(starmap(Struct(f"={width}d").pack, map(astuple, rows))))
    except StructError:  # a null, which the slower way takes as NaN
        flat = np.array(list(chain.from_iterable(map(astuple, rows))), np.float64)
    return flat.reshape(len(rows), width)

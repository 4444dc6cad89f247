"""A chunk of prediction records whose shapes are known -> the same runs of columns as the general way makes, sooner.

Whatever is not plain, from a batch to a time in another form, is left to the general way: the whole chunk is then
decoded once more. What comes out is the same either way, so it does not matter which one a replay takes.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, starmap
from operator import attrgetter
from struct import Struct
from struct import error as StructError
from types import NoneType
from typing import Any

import msgspec
import numpy as np
from msgspec import UnsetType

from app.decoding.chunks import UNREADABLE, RawChunk, Reject, decode_each
from app.decoding.columns import FeatureColumn, Floats, Ints, PredictionColumns, Probabilities
from app.decoding.members import members_of
from app.decoding.records import PredictionRecord, decode_prediction
from app.decoding.runs import Decoded, Run, values_at
from app.decoding.shapes import Shape, Shapes, field_name
from app.decoding.tabulate import class_names, failures, named_columns, number_column, numeric_column, weight_column
from app.settings import Settings
from app.sources.watermarks import event_times, implausible
from app.timestamps import milliseconds_of

NOTHING = {NoneType}
UNNAMED = {UnsetType}
astuple = msgspec.structs.astuple


class NotPlain(Exception):
    """The chunk holds something that only the general way knows. `misfit`: the record that fits no shape, if any."""

    def __init__(self, misfit: PredictionRecord | None = None) -> None:
        super().__init__(misfit)
        self.misfit = misfit


def decode_shaped(chunk: RawChunk, shapes: Shapes, settings: Settings) -> Decoded:
    """The chunk in columns. Raises NotPlain."""
    places, records, rejects = _decode(chunk.values, shapes.decode)
    if not records:
        raise NotPlain
    at = np.array(places, np.int64)
    parts = [
        _columns(shapes.of_type[kind], own, np.array(rows), chunk.offsets[at], settings)
        for (kind, _), rows, own in _groups(records)
    ]
    times = np.empty(len(records), np.int64)
    for rows, columns in parts:
        times[rows] = columns.timestamps
    ahead, before_1970 = implausible(times, chunk.timestamps[at], settings.windows.max_ahead_ms)
    if ahead.any() or before_1970.any():
        raise NotPlain
    runs = [Run(columns, rows, partial(values_at, chunk, at[rows])) for rows, columns in parts]
    return Decoded(runs, rejects, times, chunk.offsets[at])


def _decode(
    values: Sequence[bytes | None], decode: Callable[[bytes], Any]
) -> tuple[Sequence[int], list[Any], list[Reject]]:
    try:
        return range(len(values)), list(map(decode, values)), []  # type: ignore[arg-type]
    except UNREADABLE:
        return decode_each(values, partial(_fitting, decode))


def _fitting(decode: Callable[[bytes], Any], value: bytes) -> Any:
    """A record that nothing can read is a reject here as well; another one that has no shape is none of ours."""
    try:
        return decode(value)
    except UNREADABLE:
        raise NotPlain(decode_prediction(value)) from None


def _groups(records: Sequence[Any]) -> Iterable[tuple[tuple[type, str], Sequence[int], Sequence[Any]]]:
    """Type and version, rows and records of each model version, by their first ones."""
    if len(set(map(type, records))) == len({record.version for record in records}) == 1:
        return [((type(records[0]), records[0].version), range(len(records)), records)]
    members = members_of((type(record), record.version) for record in records)
    return [(name, rows, [records[row] for row in rows]) for name, rows in members.items()]


def _columns(
    shape: Shape, records: Sequence[Any], rows: Ints, offsets: Ints, settings: Settings
) -> tuple[Ints, PredictionColumns]:
    # One list an attribute: to transpose tuples of all attributes takes three times as long.
    predictions = [record.prediction for record in records]
    probabilities = [record.probabilities for record in records]
    errors = [record.error for record in records]
    if None in predictions and any(p is None and e is None for p, e in zip(predictions, errors, strict=True)):
        raise NotPlain
    task = _task(shape.model, predictions, probabilities, settings)
    nothing: list[str | None] = [None] * len(records)
    return rows, PredictionColumns(
        model=shape.model,
        version=records[0].version,
        task=task,
        offsets=offsets[rows],
        timestamps=_times([record.timestamp for record in records]),
        ids=[record.prediction_id for record in records],
        failed=failures(errors),
        weights=weight_column([record.weight for record in records]),
        latency_ms=number_column([record.latency_ms for record in records]),
        features=_features(shape, [record.features for record in records], settings.model(shape.model).text),
        as_sent=predictions,
        predicted=class_names(predictions) if task == "classification" else nothing,
        values=number_column(predictions if task == "regression" else nothing),
        probabilities=_probabilities(shape, probabilities),
        segments=_segments(shape, [record.segments for record in records], settings.model(shape.model).segments),
    )


def _task(model: str, predictions: Sequence[Any], probabilities: Sequence[Any], settings: Settings) -> str:
    configured = settings.model(model).task
    kinds = set(map(type, predictions))
    if configured == "classification" or (configured is None and float not in kinds):
        return "classification"
    if configured == "regression" and kinds <= {float, NoneType}:
        return "regression"
    with_shares = {shares is not None for shares in probabilities}
    if configured is None and kinds == {float} and len(with_shares) == 1:
        return "classification" if with_shares == {True} else "regression"
    raise NotPlain


def _times(moments: Sequence[str | float]) -> Ints:
    kinds = set(map(type, moments))
    if kinds == {float}:
        return event_times(moments)  # type: ignore[arg-type]
    times = milliseconds_of(moments) if kinds == {str} else None  # type: ignore[arg-type]
    if times is None:
        raise NotPlain
    return times


def _features(shape: Shape, rows: Sequence[Any], texts: Collection[str]) -> dict[str, FeatureColumn]:
    """The features that any of these rows names, in the shape's order."""
    if not shape.features:
        return {}
    if shape.numeric:
        columns: Any = _matrix(rows, len(shape.features)).T.copy()  # each feature is then read without strides
        found = {name: numeric_column(column) for name, column in zip(shape.features, columns, strict=True)}
        return {name: column for name, column in found.items() if column is not None}
    named = zip(shape.features, _field_columns(rows, len(shape.features)), strict=True)
    return named_columns(((name, values) for name, values in named if set(map(type, values)) != UNNAMED), texts)


def _field_columns(rows: Sequence[Any], count: int) -> Iterator[list[Any]]:
    """The values of each field over `rows`. Tuples of all fields are not made for it."""
    return (list(map(attrgetter(field_name(place)), rows)) for place in range(count))


def _matrix(rows: Sequence[Any], width: int) -> Floats:
    try:
        flat = np.frombuffer(b"".join(starmap(Struct(f"={width}d").pack, map(astuple, rows))))
    except StructError:  # a None, which the slower way takes as NaN
        flat = np.array(list(chain.from_iterable(map(astuple, rows))), np.float64)
    return flat.reshape(-1, width)


def _probabilities(shape: Shape, rows: Sequence[Any]) -> Probabilities | None:
    kinds = set(map(type, rows))
    if kinds == NOTHING:
        return None
    if NoneType in kinds:
        absent = (np.nan,) * len(shape.classes)
        matrix = np.array([absent if row is None else astuple(row) for row in rows], np.float64)
    else:
        matrix = _matrix(rows, len(shape.classes))
    order = sorted(range(len(shape.classes)), key=shape.classes.__getitem__)
    return Probabilities(tuple(shape.classes[place] for place in order), matrix[:, order])


def _segments(shape: Shape, rows: Sequence[Any], wanted: Sequence[str] | None) -> dict[str, list[str | None]]:
    """`wanted`: those that are configured, None for all."""
    kinds = set(map(type, rows))
    if kinds == NOTHING or (wanted is not None and shape.segments.keys().isdisjoint(wanted)):
        return {}
    if NoneType in kinds:
        nothing = next(type(row) for row in rows if row is not None)()
        rows = [nothing if row is None else row for row in rows]
    named = zip(shape.segments, _field_columns(rows, len(shape.segments)), strict=True)
    return {name: class_names(values) for name, values in named if set(map(type, values)) != NOTHING}

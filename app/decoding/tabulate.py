"""Single prediction records -> columns."""

from collections.abc import Collection, Iterable, Sequence
from itertools import chain, islice
from math import inf
from operator import itemgetter
from struct import error as StructError
from struct import pack_into
from types import NoneType
from typing import Any

import numpy as np
from msgspec import UNSET, UnsetType
from numpy.typing import NDArray

from app.decoding.columns import FeatureColumn, Floats, Ints, Kind, PredictionColumns, Probabilities
from app.decoding.records import PredictionRecord

# Longer text is kept to its beginning: enough to tell categories apart, and one value can't fill a message.
LONGEST_TEXT = 256
# Of a feature that is configured as text more is looked at: none of it is kept.
LONGEST_PROSE = 10_000
# Among numbers, of a record that does not name the feature: JSON has no infinity.
ABSENT = -inf
KIND_OF = {float: Kind.NUMBER, str: Kind.TEXT, bool: Kind.BOOLEAN, list: Kind.VECTOR, NoneType: Kind.MISSING}


def tabulate(
    records: Sequence[PredictionRecord],
    task: str,
    offsets: Ints,
    timestamps: Ints,
    max_features: int,
    texts: Collection[str] = (),
) -> PredictionColumns:
    """Columns of n single records of one model version and one task. `offsets`, `timestamps`: (n,).

    `texts`: the features that are configured as text.
    """
    predictions = [record.prediction for record in records]
    return PredictionColumns(
        model=records[0].model,
        version=records[0].version,
        task=task,
        offsets=offsets,
        timestamps=timestamps,
        ids=[record.prediction_id or "" for record in records],
        failed=failures([record.error for record in records]),
        weights=weight_column([record.weight for record in records]),
        latency_ms=number_column([record.latency_ms for record in records]),
        features=feature_columns([record.features for record in records], max_features, texts),
        as_sent=predictions,
        predicted=class_names(predictions) if task == "classification" else [None] * len(predictions),
        values=number_column(predictions if task == "regression" else [None] * len(predictions)),
        probabilities=probability_columns([record.probabilities for record in records]),
        segments=segment_columns([record.segments for record in records]),
    )


def failures(errors: Sequence[Any]) -> NDArray[np.bool_]:
    """Where a record carries an error: anything but null and false."""
    if errors.count(None) == len(errors):
        return np.zeros(len(errors), np.bool_)
    return np.array([error is not None and error is not False for error in errors])


def weight_column(weights: Sequence[float | None]) -> Floats | None:
    """(n,) with 1 where absent, or None when all are."""
    if weights.count(None) == len(weights):
        return None
    return np.array([1.0 if weight is None else weight for weight in weights])


def number_column(values: Sequence[Any]) -> Floats:
    """(n,) with NaN where the value is missing."""
    column = np.empty(len(values))
    try:
        pack_into(f"{len(values)}d", column.data, 0, *values)  # a quarter of what numpy takes
    except StructError:  # a None
        return np.array(values, np.float64)
    return column


def class_name(value: Any) -> str | None:
    """Text as it is, true and false, a number in its shortest form; None stays."""
    if value is None or type(value) is str:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(float(value))


def class_names(values: Sequence[Any]) -> list[str | None]:
    kinds = set(map(type, values))
    if kinds <= {str, NoneType}:
        return list(values)
    return [class_name(value) for value in values]


def feature_columns(
    rows: Sequence[dict[str, Any]], max_features: int, texts: Collection[str] = ()
) -> dict[str, FeatureColumn]:
    """One column per feature name, in order of first appearance; a row without the name is missing there."""
    names = tuple(rows[0])
    if 1 < len(names) <= max_features and max(map(len, rows)) == len(names):
        try:
            picked = list(map(itemgetter(*names), rows))
        except KeyError:
            return _uneven_columns(rows, max_features, texts)
        return _even_columns(names, picked, texts)
    return _uneven_columns(rows, max_features, texts)


def _even_columns(
    names: tuple[str, ...], picked: list[tuple[Any, ...]], texts: Collection[str]
) -> dict[str, FeatureColumn]:
    flat = list(chain.from_iterable(picked))
    kinds = set(map(type, flat))
    if not kinds <= {float, NoneType}:
        return named_columns(zip(names, zip(*picked, strict=True), strict=True), texts)
    # Column after column in memory: each feature is then read without strides.
    matrix = np.array(flat, np.float64).reshape(-1, len(names)).T.copy()
    if kinds == {float}:
        return {name: FeatureColumn(Kind.NUMBER, column, None) for name, column in zip(names, matrix, strict=True)}
    return {name: _numeric(column) for name, column in zip(names, matrix, strict=True)}


def _uneven_columns(
    rows: Sequence[dict[str, Any]], max_features: int, texts: Collection[str]
) -> dict[str, FeatureColumn]:
    names = list(islice(dict.fromkeys(chain.from_iterable(rows)), max_features))
    if len(names) * len(rows) <= 4 * sum(map(len, rows)) + 1000:
        return named_columns(((name, [row.get(name, UNSET) for row in rows]) for name in names), texts)
    return _sparse_columns(rows, names, texts)


def _sparse_columns(
    rows: Sequence[dict[str, Any]], names: list[str], texts: Collection[str]
) -> dict[str, FeatureColumn]:
    """As many names as rows have values: filled by what is there, not by what is not."""
    filled: dict[str, list[Any]] = {name: [UNSET] * len(rows) for name in names}
    for index, row in enumerate(rows):
        for name in row.keys() & filled.keys():
            filled[name][index] = row[name]
    return named_columns(filled.items(), texts)


def named_columns(named: Iterable[tuple[str, Sequence[Any]]], texts: Collection[str] = ()) -> dict[str, FeatureColumn]:
    """The columns of features from their names and raw values. `texts`: those that are configured as text."""
    return {name: feature_column(v, LONGEST_PROSE if name in texts else LONGEST_TEXT) for name, v in named}


def feature_column(values: Sequence[Any], longest: int = LONGEST_TEXT) -> FeatureColumn:
    """The column of one feature from its raw values: null is missing, and UNSET where a record does not name it.

    `longest`: characters that are kept of a text.
    """
    kinds = set(map(type, values))
    if UnsetType in kinds:
        column = feature_column([None if value is UNSET else value for value in values], longest)
        column.absent = np.array([value is UNSET for value in values])
        return column
    if kinds <= {float, NoneType}:
        return _numeric(number_column(values))
    if kinds == {str}:
        texts = list(values) if max(map(len, values)) <= longest else [text[:longest] for text in values]
        return FeatureColumn(Kind.TEXT, np.full(len(values), np.nan), texts)
    numbers = np.array([float(v) if type(v) is float or type(v) is bool else np.nan for v in values])
    clipped = [v[:longest] if type(v) is str else v for v in values]
    if len(kinds) == 1:
        return FeatureColumn(KIND_OF[kinds.pop()], numbers, clipped)
    return FeatureColumn(np.array([KIND_OF[type(v)] for v in values], np.uint8), numbers, clipped)


def numeric_column(column: Floats) -> FeatureColumn | None:
    """The column of numbers, NaN where null, ABSENT where a record does not name it; None when none does."""
    absent = column == ABSENT
    if not absent.any():
        return _numeric(column)
    if absent.all():
        return None
    found = _numeric(np.where(absent, np.nan, column))
    found.absent = absent
    return found


def _numeric(column: Floats) -> FeatureColumn:
    missing = np.isnan(column)
    if not missing.any():
        return FeatureColumn(Kind.NUMBER, column, None)
    return FeatureColumn(np.where(missing, Kind.MISSING, Kind.NUMBER).astype(np.uint8), column, None)


def probability_columns(rows: Sequence[dict[str, Any] | None]) -> Probabilities | None:
    """(n, k) over the sorted classes that any row names; None when no row has probabilities."""
    given = next((row for row in rows if row), None)
    if given is None:
        return None
    classes = tuple(sorted(given))
    try:
        if len(classes) > 1 and set(map(type, rows)) == {dict} and set(map(len, rows)) == {len(classes)}:  # type: ignore[arg-type]
            matrix = np.array(list(map(itemgetter(*classes), rows)), np.float64)  # type: ignore[arg-type]
            return Probabilities(classes, matrix)
    except KeyError:
        pass
    classes = tuple(sorted(set(chain.from_iterable(row for row in rows if row))))
    filled = [[(row or {}).get(name) for name in classes] for row in rows]
    return Probabilities(classes, np.array(filled, np.float64))


def segment_columns(rows: Sequence[dict[str, Any] | None]) -> dict[str, list[str | None]]:
    """Column name -> value of each row as text, None where the row has none."""
    if set(map(type, rows)) == {NoneType}:
        return {}
    names = dict.fromkeys(chain.from_iterable(row for row in rows if row))
    return {name: class_names([row.get(name) if row else None for row in rows]) for name in names}

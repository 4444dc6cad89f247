"""What an entry keeps of a prediction until its label comes: numbers side by side, and the rest as msgpack.

The pairs of a chunk then become columns at a fraction of what their JSON would take, and the store is half as large. A
packed prediction says by a mark how it is laid out (`app/joining/layouts.py`); what can't be packed is kept as JSON.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import orjson
from msgspec import UNSET

from app.decoding.columns import FeatureColumn, Floats, PredictionColumns, Probabilities
from app.decoding.tabulate import ABSENT, class_names, named_columns, numeric_column
from app.joining.layouts import MARK_BYTES, Layout, Layouts

# No JSON begins with it.
PACKED = b"\x01"
HEAD = len(PACKED) + MARK_BYTES
NUMBERS = np.dtype("<f8")
# In place of a value that the record does not name: msgpack has no word for it, and no feature is an object.
UNNAMED: dict[str, Any] = {}

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Any]).decode


def pack(columns: PredictionColumns, layouts: Layouts) -> list[bytes] | None:
    """Each row by itself; None when there are too many layouts."""
    numbers = {name: column for name, column in columns.features.items() if column.values is None}
    others = {name: column for name, column in columns.features.items() if column.values is not None}
    shares, segments = columns.probabilities, columns.segments
    layout = Layout(
        columns.model,
        columns.version,
        columns.task,
        tuple(numbers),
        tuple(others),
        () if shares is None else shares.classes,
        tuple(segments),
        columns.weights is not None,
    )
    mark = layouts.mark(layout)
    if mark is None:
        return None
    side_by_side = [_with_absent(column) for column in numbers.values()]
    if shares is not None:
        side_by_side += list(shares.matrix.T)
    if columns.weights is not None:
        side_by_side.append(columns.weights)
    matrix = np.empty((columns.size, layout.width), NUMBERS)
    for place, values in enumerate(side_by_side):
        matrix[:, place] = values
    flat, step, head = matrix.tobytes(), matrix.itemsize * layout.width, PACKED + mark
    rest = zip(columns.ids, columns.as_sent, *segments.values(), *map(_with_unnamed, others.values()), strict=True)
    return [head + flat[row * step : (row + 1) * step] + _encode(own) for row, own in enumerate(rest)]


def _with_absent(column: FeatureColumn) -> Floats:
    return column.numbers if column.absent is None else np.where(column.absent, ABSENT, column.numbers)


def _with_unnamed(column: FeatureColumn) -> Sequence[Any]:
    values = column.values or ()
    if column.absent is None:
        return values
    return [UNNAMED if absent else value for absent, value in zip(column.absent.tolist(), values, strict=True)]


def mark_of(record: bytes) -> bytes | None:
    """How the record is packed; None where it is JSON."""
    return record[len(PACKED) : HEAD] if record[: len(PACKED)] == PACKED else None


def unpack(layout: Layout, records: Sequence[bytes]) -> tuple[list[int], PredictionColumns | None]:
    """The places of those that did not fail, and their columns, without times; None where all have failed."""
    end = HEAD + NUMBERS.itemsize * layout.width
    rest = [_decode(record[end:]) for record in records]
    places = [place for place, row in enumerate(rest) if row[1] is not None]
    if not places:
        return [], None
    if len(places) < len(records):
        records, rest = [records[place] for place in places], [rest[place] for place in places]
    numbers = np.frombuffer(b"".join([record[HEAD:end] for record in records]), NUMBERS)
    # Each column is then read without strides.
    matrix: Floats = numbers.reshape(len(records), layout.width).T.astype(np.float64, order="C")
    ids, predictions, *texts = map(list, zip(*rest, strict=True))
    size, features, classes = len(records), len(layout.numbers), layout.classes
    nothing: list[str | None] = [None] * size
    return places, PredictionColumns(
        model=layout.model,
        version=layout.version,
        task=layout.task,
        offsets=np.arange(size),
        timestamps=np.zeros(size, np.int64),
        ids=ids,
        failed=np.zeros(size, np.bool_),
        weights=matrix[-1] if layout.weighted else None,
        latency_ms=np.full(size, np.nan),
        features=_features(layout, matrix, texts[len(layout.segments) :]),
        as_sent=predictions,
        predicted=class_names(predictions) if layout.task == "classification" else nothing,
        values=np.array(predictions if layout.task == "regression" else nothing, np.float64),
        probabilities=_probabilities(classes, matrix[features : features + len(classes)].T),
        segments=_given(layout.segments, texts),
    )


def _features(layout: Layout, matrix: Floats, others: Sequence[list[Any]]) -> dict[str, FeatureColumn]:
    found = {name: numeric_column(column) for name, column in zip(layout.numbers, matrix, strict=False)}
    named = {name: column for name, column in found.items() if column is not None}
    values = [[UNSET if type(value) is dict else value for value in column] for column in others]
    told = [(name, own) for name, own in zip(layout.others, values, strict=True) if any(v is not UNSET for v in own)]
    # Texts were cut when they came: they are as long as any may be.
    return named | named_columns(told, layout.others)


def _given(names: Sequence[str], columns: Sequence[list[str | None]]) -> dict[str, list[str | None]]:
    """Those of which any row has a value."""
    named = zip(names, columns, strict=False)
    return {name: values for name, values in named if values.count(None) < len(values)}


def _probabilities(classes: tuple[str, ...], matrix: Floats) -> Probabilities | None:
    return None if not classes or np.isnan(matrix).all() else Probabilities(classes, matrix.copy())


def as_json(layout: Layout, record: bytes, timestamp: int) -> bytes:
    """The packed record as the JSON of a single prediction. `timestamp`: in ms."""
    columns = unpack(layout, [record])[1]
    if columns is None:
        failed = {"model": layout.model, "version": layout.version, "prediction_id": "-", "error": True}
        return orjson.dumps(failed | {"timestamp": timestamp})
    values = {name: _value(column) for name, column in columns.features.items()}
    shares = columns.probabilities
    return orjson.dumps(
        {
            "model": layout.model,
            "version": layout.version,
            "prediction_id": columns.ids[0],
            "timestamp": timestamp,
            "features": values,
            "prediction": columns.as_sent[0],
            "probabilities": None
            if shares is None
            else dict(zip(shares.classes, shares.matrix[0].tolist(), strict=True)),
            "segments": {name: own[0] for name, own in columns.segments.items()} or None,
            "weight": None if columns.weights is None else float(columns.weights[0]),
        }
    )


def _value(column: FeatureColumn) -> Any:
    """Of its only row; NaN becomes null in JSON."""
    return float(column.numbers[0]) if column.values is None else column.values[0]

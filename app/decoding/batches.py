"""Batches of rows that come as columns in one record: to our columns, and a row of one back to a record of its own."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
import numpy as np
import orjson

from app.decoding.columns import Ints, PredictionColumns, Probabilities
from app.decoding.records import LabelRecord, Moment, PredictionRecord
from app.decoding.tabulate import class_names, failures, named_columns, number_column, weight_column
from app.sources.watermarks import event_times
from app.timestamps import milliseconds_of


class UnevenBatch(ValueError):
    """The columns of a batch differ in length, or one that must be there is not."""


def rows_in(record: PredictionRecord | LabelRecord) -> int:
    return len(record.prediction_ids or ())


def check_batch(record: PredictionRecord) -> None:
    """Raises UnevenBatch with the name of the first column that does not fit the ids."""
    rows = rows_in(record)
    if record.predictions is None and record.errors is None:
        raise UnevenBatch("neither `predictions` nor `errors`")
    if record.timestamps is None and record.timestamp is None:
        raise UnevenBatch("neither `timestamps` nor `timestamp`")
    for name, values in _columns_of(record):
        if len(values) != rows:
            raise UnevenBatch(f"{rows} prediction_ids, but {len(values)} values in `{name}`")
    for index, (value, error) in enumerate(zip(predictions_of(record), errors_of(record), strict=True)):
        if value is None and error is None:
            raise UnevenBatch(f"row {index} has neither a prediction nor an error")


def _columns_of(record: PredictionRecord) -> list[tuple[str, Sequence[Any]]]:
    columns: list[tuple[str, Any]] = [(name, getattr(record, name)) for name in ("timestamps", "predictions", "errors")]
    columns += [("weights", record.weights), ("latency_ms", record.latency_ms)]
    columns += [(f"probabilities.{name}", values) for name, values in (record.probabilities or {}).items()]
    columns += [(f"segments.{name}", values) for name, values in (record.segments or {}).items()]
    named = [(name, values) for name, values in columns if isinstance(values, list)]
    return named + [(f"features.{name}", _as_column(values)) for name, values in record.features.items()]


def _as_column(values: Any) -> Sequence[Any]:
    return values if isinstance(values, list) else ()


def spread(value: Any, rows: int) -> list[Any]:
    """One value for all rows, or one a row."""
    return value if isinstance(value, list) else [value] * rows


def predictions_of(record: PredictionRecord) -> list[Any]:
    return spread(record.predictions, rows_in(record))


def errors_of(record: PredictionRecord) -> list[Any]:
    return spread(record.errors if record.errors is not None else record.error, rows_in(record))


def weights_of(record: PredictionRecord) -> list[Any]:
    return spread(record.weights if record.weights is not None else record.weight, rows_in(record))


def batch_times(record: PredictionRecord | LabelRecord) -> Ints:
    """(rows,) the time of each row in ms, of a batch that has `timestamps` or `timestamp`.

    Raises msgspec.ValidationError where a text is no time.
    """
    rows = rows_in(record)
    if record.timestamps is None:
        return np.full(rows, event_times([record.timestamp])[0])  # type: ignore[list-item]
    texts = [moment for moment in record.timestamps if type(moment) is str]
    if texts and len(texts) == len(record.timestamps) and (times := milliseconds_of(texts)) is not None:
        return times
    return event_times(msgspec.convert(record.timestamps, list[Moment]))


def tabulate_batch(
    record: PredictionRecord,
    task: str,
    offsets: Ints,
    timestamps: Ints,
    max_features: int,
    texts: Collection[str] = (),
) -> PredictionColumns:
    """The columns of one checked batch. `offsets`: (rows,) of the records they came in; `timestamps`: (rows,) in ms.

    `texts`: the features that are configured as text.
    """
    rows = rows_in(record)
    predictions = predictions_of(record)
    features = list(record.features.items())[:max_features]
    return PredictionColumns(
        model=record.model,
        version=record.version,
        task=task,
        offsets=offsets,
        timestamps=timestamps,
        ids=list(record.prediction_ids or ()),
        failed=failures(errors_of(record)),
        weights=weight_column(weights_of(record)),
        latency_ms=number_column(spread(record.latency_ms, rows)),
        features=named_columns(((name, _as_column(values)) for name, values in features), texts),
        as_sent=predictions,
        predicted=class_names(predictions) if task == "classification" else [None] * rows,
        values=number_column(predictions if task == "regression" else [None] * rows),
        probabilities=_probabilities(record, rows),
        segments={name: class_names(spread(values, rows)) for name, values in (record.segments or {}).items()},
    )


def _probabilities(record: PredictionRecord, rows: int) -> Probabilities | None:
    if not record.probabilities:
        return None
    classes = tuple(sorted(record.probabilities))
    columns = [spread(record.probabilities[name], rows) for name in classes]
    return Probabilities(classes, np.array([number_column(column) for column in columns]).T)


def rows_as_records(record: PredictionRecord, columns: PredictionColumns) -> list[bytes]:
    """Each row of a batch as a single record's JSON: what the join keeps until the label comes."""
    features, probabilities = _rows_of(record.features), _rows_of(record.probabilities or {})
    segments, weights = _rows_of(columns.segments), columns.weights
    predictions, errors = predictions_of(record), errors_of(record)
    return [
        orjson.dumps(
            {
                "prediction_id": columns.ids[row],
                "model": record.model,
                "version": record.version,
                "timestamp": int(columns.timestamps[row]),
                "features": features[row] if features else {},
                "prediction": predictions[row],
                "probabilities": probabilities[row] if probabilities else None,
                "segments": segments[row] if segments else None,
                "error": errors[row],
                "weight": None if weights is None else float(weights[row]),
            }
        )
        for row in range(columns.size)
    ]


def _rows_of(columns: dict[str, Any]) -> list[dict[str, Any]]:
    lists = {name: values for name, values in columns.items() if isinstance(values, list)}
    return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]

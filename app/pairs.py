"""Completed pairs -> columns for the statistics, and the examples that training reads."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.columns import Floats, Ints, PairColumns, PredictionColumns
from app.decode import groups_of
from app.join import Pair
from app.messages import Message
from app.records import PredictionRecord, decode_prediction
from app.segments import segment_values
from app.settings import Settings
from app.tabulate import class_name, tabulate

# Rows of one record on `examples`: some hundred bytes each, far below the broker's limit for a message.
ROWS_AN_EXAMPLE = 1000


@dataclass(slots=True)
class PairRun:
    """Pairs of one model version in the order of the records that completed them.

    `rows`: (n,) places of those records among the chunk's rows; `times`: (n,) the later of both times, when they count;
    `watermarks`: (n,) the later of both sources' as their records came.
    """

    pairs: PairColumns
    predictions: PredictionColumns
    records: list[PredictionRecord]
    labels: list[Any]
    label_times: Ints
    times: Ints
    watermarks: Ints
    rows: Ints


def pair_runs(pairs: Sequence[Pair], settings: Settings) -> Iterator[PairRun]:
    """The pairs whose prediction can be compared with its label: one that failed has nothing to compare."""
    decoded = [(pair, decode_prediction(pair.entry.record)) for pair in pairs]
    usable = [(pair, record) for pair, record in decoded if record.prediction is not None]
    if not usable:
        return
    records = [record for _, record in usable]
    for task, members in groups_of(records, settings):
        limit = settings.model(records[members[0]].model).max_features
        yield _run([usable[i][0] for i in members], [records[i] for i in members], task, limit)


def _run(pairs: list[Pair], records: list[PredictionRecord], task: str, limit: int) -> PairRun:
    times = np.array([pair.entry.timestamp for pair in pairs], np.int64)
    labels = [pair.entry.labels[0].label for pair in pairs]
    label_times = np.array([pair.entry.labels[0].timestamp for pair in pairs], np.int64)
    predictions = tabulate(records, task, np.zeros(len(pairs), np.int64), times, limit)
    columns = PairColumns(
        model=predictions.model,
        version=predictions.version,
        task=task,
        weights=predictions.weights,
        predicted=predictions.predicted,
        values=predictions.values,
        probabilities=predictions.probabilities,
        labels=[class_name(label) for label in labels] if task == "classification" else [None] * len(labels),
        label_values=_numbers(labels) if task == "regression" else np.full(len(labels), np.nan),
        lag_ms=np.maximum(label_times - times, 0),
    )
    rows = np.array([pair.row for pair in pairs], np.int64)
    watermarks = np.array([max(pair.entry.watermark, pair.entry.labels[0].watermark) for pair in pairs], np.int64)
    return PairRun(columns, predictions, records, labels, label_times, np.maximum(times, label_times), watermarks, rows)


def _numbers(labels: Sequence[Any]) -> Floats:
    """A label that is no number can't be compared with a regression's prediction: NaN."""
    return np.array([np.nan if isinstance(label, str) else float(label) for label in labels])


def examples(run: PairRun, topic: str, offsets: Ints, settings: Settings) -> Iterator[Message]:
    """The run as records for `examples`. `offsets`: (n,) of the records on `topic` that completed the pairs."""
    segments = segment_values(run.predictions, settings.model(run.pairs.model).segments)
    for start in range(0, run.pairs.size, ROWS_AN_EXAMPLE):
        yield _example(run, slice(start, start + ROWS_AN_EXAMPLE), topic, offsets, segments)


def _example(run: PairRun, rows: slice, topic: str, offsets: Ints, segments: dict[str, list[str | None]]) -> Message:
    records = run.records[rows]
    value = {
        "model": run.pairs.model,
        "version": run.pairs.version,
        "prediction_ids": [record.prediction_id for record in records],
        "timestamps": run.predictions.timestamps[rows].tolist(),
        "label_timestamps": run.label_times[rows].tolist(),
        "features": _by_name([record.features for record in records]),
        "predictions": [record.prediction for record in records],
        "probabilities": _by_name([record.probabilities or {} for record in records]),
        "labels": run.labels[rows],
        "segments": {name: values[rows] for name, values in segments.items()},
        "completed_by": [[topic, offset] for offset in offsets[rows].tolist()],
    }
    return Message("examples", run.pairs.model, value)


def _by_name(rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}

"""Completed pairs -> columns for the statistics, and the examples that training reads."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.decoding.chunks import RawChunk
from app.decoding.columns import FeatureColumn, Floats, Ints, Kind, PairColumns, PredictionColumns
from app.decoding.members import members_of
from app.decoding.runs import Decoded
from app.decoding.tabulate import class_names
from app.joining.entries import Pair
from app.joining.layouts import Layouts
from app.joining.packed import HEAD, as_json, mark_of, unpack
from app.messages import Message
from app.segments import segment_values
from app.settings import Settings

# Rows of one record on `examples`: some hundred bytes each, far below the broker's limit for a message.
ROWS_AN_EXAMPLE = 1000
Decode = Callable[[RawChunk], Decoded]


@dataclass(slots=True)
class PairRun:
    """Pairs of one model version in the order of the records that completed them.

    `rows`: (n,) places of those records among the chunk's rows; `times`: (n,) the later of both times, when they count;
    `watermarks`: (n,) the later of both sources' as their records came.
    """

    pairs: PairColumns
    predictions: PredictionColumns
    labels: list[Any]
    label_times: Ints
    times: Ints
    watermarks: Ints
    rows: Ints


def pair_runs(pairs: Sequence[Pair], decode: Decode, layouts: Layouts) -> Iterator[PairRun]:
    """The pairs whose prediction can be compared with its label: one that failed has nothing to compare."""
    for own, predictions in comparable(pairs, decode, layouts):
        yield run_of(own, predictions)


def comparable(
    pairs: Sequence[Pair], decode: Decode, layouts: Layouts
) -> Iterator[tuple[list[Pair], PredictionColumns]]:
    """The pairs of each model version whose prediction did not fail, with their predictions.

    `layouts`: of the store that the pairs are from.
    """
    heads = members_of([pair.entry.record[:HEAD] for pair in pairs])
    found = {head: layouts[mark] for head in heads if (mark := mark_of(head)) is not None}
    if len({(one.model, one.version) for one in found.values()}) < len(heads):
        # Rows of one version must stay in the order of their offsets, in which floats are added.
        yield from _decoded(pairs, decode, layouts)
        return
    for head, layout in found.items():
        own = [pairs[row] for row in heads[head]]
        places, predictions = unpack(layout, [pair.entry.record for pair in own])
        if predictions is not None:
            yield [own[place] for place in places], predictions


def _decoded(pairs: Sequence[Pair], decode: Decode, layouts: Layouts) -> Iterator[tuple[list[Pair], PredictionColumns]]:
    """The same, by JSON, whatever their layouts are."""
    count = len(pairs)
    # Kafka's time is not asked again: each of these records was found good when it came.
    chunk = RawChunk(np.arange(count), np.full(count, -1), [None] * count, [_json(pair, layouts) for pair in pairs])
    runs = decode(chunk).runs
    if any(None in run.columns.as_sent for run in runs):
        sent = [one for run in runs for one in zip(run.rows.tolist(), run.columns.as_sent, strict=True)]
        failed = {row for row, prediction in sent if prediction is None}
        yield from _decoded([pair for row, pair in enumerate(pairs) if row not in failed], decode, layouts)
        return
    for run in runs:
        yield [pairs[row] for row in run.rows.tolist()], run.columns


def _json(pair: Pair, layouts: Layouts) -> bytes:
    record = pair.entry.record
    mark = mark_of(record)
    return record if mark is None else as_json(layouts[mark], record, pair.entry.timestamp)


def run_of(pairs: list[Pair], predictions: PredictionColumns) -> PairRun:
    """The pairs with their predictions, row by row."""
    rows, entries, places = zip(*pairs, strict=True)
    seen = [entry.labels[place] for entry, place in zip(entries, places, strict=True)]
    predictions.timestamps = np.array([entry.timestamp for entry in entries], np.int64)
    labels = [one.label for one in seen]
    label_times = np.array([one.timestamp for one in seen], np.int64)
    before = [entry.watermark for entry in entries], [one.watermark for one in seen]
    watermarks = np.maximum(*(np.array(own, np.int64) for own in before))
    return pair_run(predictions, labels, label_times, watermarks, np.array(rows, np.int64))


def pair_run(
    predictions: PredictionColumns, labels: Sequence[Any], label_times: Ints, watermarks: Ints, rows: Ints
) -> PairRun:
    """n predictions, none of which failed, with their labels as on the wire. The other arguments: (n,), as there."""
    times, task = predictions.timestamps, predictions.task
    columns = PairColumns(
        model=predictions.model,
        version=predictions.version,
        task=task,
        weights=predictions.weights,
        predicted=predictions.predicted,
        values=predictions.values,
        probabilities=predictions.probabilities,
        labels=class_names(labels) if task == "classification" else [None] * len(labels),
        label_values=_numbers(labels) if task == "regression" else np.full(len(labels), np.nan),
        lag_ms=np.maximum(label_times - times, 0),
    )
    later = np.maximum(times, label_times)
    return PairRun(columns, predictions, list(labels), label_times, later, watermarks, rows)


def _numbers(labels: Sequence[Any]) -> Floats:
    """A label that is no number can't be compared with a regression's prediction: NaN."""
    return np.array([np.nan if isinstance(label, str) else float(label) for label in labels])


def examples(run: PairRun, topic: str, offsets: Ints, settings: Settings) -> Iterator[Message]:
    """The run as records for `examples`. `offsets`: (n,) of the records on `topic` that completed the pairs."""
    segments = segment_values(run.predictions, settings.model(run.pairs.model).segments)
    for start in range(0, run.pairs.size, ROWS_AN_EXAMPLE):
        yield _example(run, slice(start, start + ROWS_AN_EXAMPLE), topic, offsets, segments)


def _example(run: PairRun, rows: slice, topic: str, offsets: Ints, segments: dict[str, list[str | None]]) -> Message:
    predictions, shares = run.predictions, run.predictions.probabilities
    columns = {} if shares is None else dict(zip(shares.classes, shares.matrix[rows].T.copy(), strict=True))
    features = {name: _raw(column, rows) for name, column in sorted(predictions.features.items())}
    value = {
        "model": run.pairs.model,
        "version": run.pairs.version,
        "prediction_ids": predictions.ids[rows],
        "timestamps": predictions.timestamps[rows],
        "label_timestamps": run.label_times[rows],
        "features": {name: values for name, values in features.items() if values is not None},
        "predictions": predictions.as_sent[rows],
        "probabilities": columns,
        "labels": run.labels[rows],
        "segments": {name: values[rows] for name, values in segments.items()},
        "completed_by": [[topic, offset] for offset in offsets[rows].tolist()],
    }
    return Message("examples", run.pairs.model, value)


def _raw(column: FeatureColumn, rows: slice) -> Floats | list[Any] | None:
    """The values as they were sent, NaN or None where missing (JSON knows neither: both are null); None if all are."""
    kinds = np.asarray(column.kinds)[rows] if not isinstance(column.kinds, Kind) else np.array([column.kinds])
    if not kinds.any():
        return None
    return column.numbers[rows] if column.values is None else column.values[rows]

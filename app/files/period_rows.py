"""The rows of one model version in a period of event time, picked out of the stream, to fit a baseline from."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.decoding.chunks import RawChunk
from app.decoding.columns import FeatureColumn, PredictionColumns
from app.decoding.decode import PredictionDecoder
from app.decoding.tabulate import class_name
from app.drift.fitting import ReferenceData
from app.files.reference_rows import MOST_ROWS
from app.quality.freshness import without
from app.segments import segment_values
from app.settings import Settings
from app.timestamps import rfc3339

Row = dict[str, Any]


class PeriodRows:
    """Predictions of `model` and `version` with times from `start` (ms) to before `end`; those that failed are none.

    At most `most`, chosen by the hash of their ids, so that the same events give the same rows in whatever order they
    are read. An id that comes again counts once.
    """

    def __init__(
        self, settings: Settings, model: str, version: str, start: int, end: int, most: int = MOST_ROWS
    ) -> None:
        self.settings = settings
        self.model, self.version = model, version
        self.start, self.end = start, end
        self.seen = 0
        """Rows of the period, whether they were chosen or not."""
        self.newest: int | None = None
        """The largest event time (ms) of the model version in all that was read."""
        self._most = most
        self._decoder = PredictionDecoder(settings)
        self._rows: dict[str, tuple[bytes, Row]] = {}
        self._labels: dict[str, Any] = {}

    def predictions(self, chunk: RawChunk) -> None:
        """Takes in records of `predictions`; what can't be read is left out."""
        for run in self._decoder.decode(chunk).runs:
            if (run.columns.model, run.columns.version) == (self.model, self.version):
                self._take(run.columns)
        if len(self._rows) > 2 * self._most:
            self._prune()

    def example(self, record: Mapping[str, Any]) -> None:
        """Takes in a record of `examples`: the labels of rows that were chosen."""
        if (record["model"], record["version"]) == (self.model, self.version):
            pairs = zip(record["prediction_ids"], record["labels"], strict=True)
            self._labels |= {identity: label for identity, label in pairs if identity in self._rows}

    def newest_text(self) -> str | None:
        """The newest time for people."""
        return None if self.newest is None else rfc3339(self.newest)

    def data(self) -> ReferenceData:
        """The rows in the order of their times. Raises ValueError when there is none."""
        self._prune()
        if not self._rows:
            raise ValueError("no rows in the period")
        ranked = sorted(self._rows.items(), key=lambda item: (item[1][1]["timestamp"], item[0]))
        task = Counter(row["task"] for _, (_, row) in ranked).most_common(1)[0][0]
        rows = [row for _, (_, row) in ranked if row["task"] == task]
        labels = [self._labels.get(identity) for identity, (_, row) in ranked if row["task"] == task]
        return ReferenceData(
            features=_columns([row["features"] for row in rows]),
            predictions=[row["prediction"] for row in rows],
            probabilities=_columns([row["probabilities"] for row in rows]),
            labels=_outcomes(labels, task) if self._labels else (),
            timestamps=[row["timestamp"] for row in rows],
            segments=_columns([row["segments"] for row in rows]),
        )

    def _take(self, columns: PredictionColumns) -> None:
        own = self.settings.model(self.model)
        if own.quality.freshness is not None:
            columns = without(columns, own.quality.freshness)
        self.newest = max(int(columns.timestamps.max()), self.newest or 0)
        inside = (columns.timestamps >= self.start) & (columns.timestamps < self.end) & ~columns.failed
        first = {columns.ids[place]: place for place in reversed(np.flatnonzero(inside).tolist())}
        places = sorted(place for identity, place in first.items() if identity not in self._rows)
        self.seen += len(places)
        segments = segment_values(columns, own.segments)
        for place, row in zip(places, _rows(columns, places, segments), strict=True):
            identity = columns.ids[place]
            self._rows[identity] = hashlib.blake2b(identity.encode(), digest_size=8).digest(), row

    def _prune(self) -> None:
        if len(self._rows) > self._most:
            kept = sorted(self._rows.items(), key=lambda item: (item[1][0], item[0]))[: self._most]
            self._rows = dict(kept)


def _rows(columns: PredictionColumns, places: Sequence[int], segments: Mapping[str, Sequence[str | None]]) -> list[Row]:
    features = {name: _raw(column, places) for name, column in columns.features.items()}
    classes = columns.task == "classification"
    shares = columns.probabilities
    given = {} if shares is None else dict(zip(shares.classes, _plain(shares.matrix[places].T.tolist()), strict=True))
    return [
        {
            "task": columns.task,
            "features": {name: values[row] for name, values in features.items()},
            "prediction": columns.predicted[place] if classes else float(columns.values[place]),
            "probabilities": {name: values[row] for name, values in given.items()},
            "timestamp": int(columns.timestamps[place]),
            "segments": {name: values[place] for name, values in segments.items()},
        }
        for row, place in enumerate(places)
    ]


def _raw(column: FeatureColumn, places: Sequence[int]) -> list[Any]:
    if column.values is None:
        return _plain([column.numbers[places].tolist()])[0]
    return [column.values[place] for place in places]


def _plain(columns: Sequence[Sequence[float]]) -> list[list[float | None]]:
    return [[None if value != value else value for value in own] for own in columns]


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    names = sorted({name for row in rows for name in row})
    return {name: [row.get(name) for row in rows] for name in names}


def _outcomes(labels: Sequence[Any], task: str) -> list[Any]:
    if task == "classification":
        return [class_name(label) for label in labels]
    return [None if label is None or isinstance(label, str) else float(label) for label in labels]

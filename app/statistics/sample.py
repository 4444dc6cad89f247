"""The first rows of a version that has no baseline yet, to fit one from."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import FeatureColumn, PredictionColumns, Probabilities
from app.decoding.tabulate import LONGEST_TEXT
from app.drift.fitting import ReferenceData
from app.statistics.features import MAX_FEATURES

# Of all embeddings, for each row of the limit.
VECTOR_NUMBERS = 128


class Sample:
    """At most `limit` rows in offset order: `features` (columns of raw values, None where missing), `predictions`,
    `probabilities` by class, `timestamps`.

    Of more than `most_features` those that come later (of one row: in sorted order) are left out.

    Of a text the beginning is kept, and of embeddings four digits of each number: row by row as many embeddings as hold
    128 numbers a row on average over `limit` rows; those beyond are empty lists.
    """

    __slots__ = ("features", "limit", "most_features", "predictions", "probabilities", "timestamps")

    def __init__(self, limit: int, most_features: int = MAX_FEATURES) -> None:
        self.limit = limit
        self.most_features = most_features
        self.features: dict[str, list[Any]] = {}
        self.predictions: list[Any] = []
        self.probabilities: dict[str, list[float | None]] = {}
        self.timestamps: list[int] = []

    @property
    def rows(self) -> int:
        return len(self.predictions)

    def add(self, columns: PredictionColumns, chosen: NDArray[np.bool_]) -> None:
        """Takes `chosen` (n,) rows until there are enough."""
        places = np.flatnonzero(chosen)[: self.limit - self.rows].tolist()
        picked = {name: _raw(column, places) for name, column in columns.features.items()}
        predicted = columns.predicted if columns.task == "classification" else _plain(columns.values.tolist())
        self._append_times(columns.timestamps[places].tolist(), _shares(columns.probabilities, places))
        self._append(picked, [predicted[place] for place in places])

    def _append_times(self, timestamps: Sequence[int], probabilities: Mapping[str, Sequence[float | None]]) -> None:
        """Before the rows themselves. At most as many classes as features."""
        rows = len(timestamps)
        new = sorted(probabilities.keys() - self.probabilities.keys())
        for name in new[: max(self.most_features - len(self.probabilities), 0)]:
            self.probabilities[name] = [None] * self.rows
        for name, own in self.probabilities.items():
            own += probabilities.get(name) or [None] * rows
        self.timestamps += timestamps

    def _append(self, picked: dict[str, list[Any]], predictions: Sequence[Any]) -> None:
        before = self.rows
        for name, values in self._new(picked):
            self.features[name] = [None] * before + values
        for name, own in self.features.items():
            if len(own) == before:
                own += picked.get(name) or [None] * len(predictions)
        self.predictions += predictions
        self._bound(before)

    def _new(self, picked: dict[str, list[Any]]) -> list[tuple[str, list[Any]]]:
        """Columns not known yet that have a value, by the row of the first one, then by name."""
        first = {
            name: next((row for row, value in enumerate(values) if value is not None), None)
            for name, values in picked.items()
            if name not in self.features
        }
        ranked = sorted((row, name) for name, row in first.items() if row is not None)
        return [(name, picked[name]) for _, name in ranked[: max(self.most_features - len(self.features), 0)]]

    def _bound(self, first: int) -> None:
        """Empties the embeddings of the rows from `first` on that there is no room for."""
        columns = [column for _, column in sorted(self.features.items()) if any(type(v) is list for v in column)]
        held = sum(len(value) for column in columns for value in column[:first] if type(value) is list)
        room = VECTOR_NUMBERS * self.limit - held
        for place in range(first, self.rows if columns else first):
            for column in columns:
                if type(column[place]) is list:
                    if len(column[place]) > room:
                        column[place] = []
                    room -= len(column[place])

    def data(self) -> ReferenceData:
        """The rows as a baseline is fitted from them."""
        whole = len(self.timestamps) == self.rows
        return ReferenceData(
            self.features, self.predictions, self.probabilities, timestamps=self.timestamps if whole else None
        )

    @property
    def seen(self) -> bool:
        return self.rows > 0

    def merge(self, other: "Sample") -> None:
        self.limit = max(self.limit, other.limit)
        self.most_features = max(self.most_features, other.most_features)
        room = self.limit - self.rows
        picked = {name: values[:room] for name, values in other.features.items()}
        times = other.timestamps[:room]
        self._append_times(times, {name: values[:room] for name, values in other.probabilities.items()})
        self._append(picked, other.predictions[:room])

    def state(self) -> dict[str, Any]:
        return {
            "limit": self.limit,
            "most_features": self.most_features,
            "features": dict(sorted(self.features.items())),
            "predictions": self.predictions,
            "probabilities": dict(sorted(self.probabilities.items())),
            "timestamps": self.timestamps,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Sample":
        own = cls(state["limit"], state["most_features"])
        own.features = {name: list(values) for name, values in state["features"].items()}
        own.predictions = list(state["predictions"])
        # What an older worker collected has neither of both.
        own.probabilities = {name: list(values) for name, values in state.get("probabilities", {}).items()}
        own.timestamps = list(state.get("timestamps", ()))
        return own


def _raw(column: FeatureColumn, places: Sequence[int]) -> list[Any]:
    if column.values is None:
        return _plain(column.numbers[list(places)].tolist())
    return [_kept(column.values[place]) for place in places]


def _kept(value: Any) -> Any:
    if type(value) is str:
        return value[:LONGEST_TEXT]
    if type(value) is list:
        return [float(f"{v:.4g}") for v in value] if set(map(type, value)) <= {float, int} else []
    return value


def _plain(values: Sequence[float]) -> list[float | None]:
    return [value if isfinite(value) else None for value in values]


def _shares(probabilities: Probabilities | None, places: Sequence[int]) -> dict[str, list[float | None]]:
    """Class -> its probability in these rows; without the classes that none of them names."""
    if probabilities is None:
        return {}
    columns = probabilities.matrix[list(places)].T.tolist()
    found = {name: _plain(column) for name, column in zip(probabilities.classes, columns, strict=True)}
    return {name: values for name, values in found.items() if values.count(None) < len(values)}

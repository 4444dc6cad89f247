"""Labelled predictions of one model as rows to learn from: what batches of the `examples` topic become."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from app.timestamps import milliseconds, rfc3339

Columns = dict[str, list[Any]]


@dataclass(slots=True)
class Examples:
    """n labelled predictions, oldest prediction first; equal times in order of their ids.

    Values are as on the wire, None where a row has none. `timestamps`, `label_timestamps`: ms. `probabilities` by
    class, `segments` and `features` by name: lists of n.
    """

    ids: list[str]
    versions: list[str]
    timestamps: list[int]
    label_timestamps: list[int]
    predictions: list[Any]
    labels: list[Any]
    probabilities: Columns
    segments: Columns
    features: Columns

    @property
    def size(self) -> int:
        return len(self.ids)

    def since(self, row: int) -> "Examples":
        """The rows from `row` on."""
        return self._cut(slice(row, None))

    def until(self, row: int) -> "Examples":
        """The rows before `row`."""
        return self._cut(slice(None, row))

    def _cut(self, rows: slice) -> "Examples":
        return Examples(
            self.ids[rows],
            self.versions[rows],
            self.timestamps[rows],
            self.label_timestamps[rows],
            self.predictions[rows],
            self.labels[rows],
            *({name: values[rows] for name, values in columns.items()} for columns in self._columns()),
        )

    def _columns(self) -> tuple[Columns, Columns, Columns]:
        return self.probabilities, self.segments, self.features

    def sha256(self) -> str:
        """Of the content: the same for the same rows, in whatever batches and order they came."""
        probabilities, segments, features = map(_canonical, self._columns())
        rows = [self.ids, self.versions, self.timestamps, self.label_timestamps, self.predictions, self.labels]
        content = [*rows, probabilities, segments, features]
        return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def span(self) -> dict[str, str]:
        """The times of the first and the last prediction, RFC 3339; nothing when there are no rows."""
        if not self.timestamps:
            return {}
        return {"start": rfc3339(self.timestamps[0]), "end": rfc3339(self.timestamps[-1])}


def _canonical(columns: Columns) -> Columns:
    """Without columns that hold nothing: a feature that is absent and one that is always null are the same."""
    return {name: values for name, values in columns.items() if any(value is not None for value in values)}


def gather(batches: Iterable[Mapping[str, Any]]) -> Examples:
    """The rows of `batches` (values of the `examples` topic) of one model.

    A prediction that comes twice (sent again after a crash, or its label corrected) counts once: with its latest
    label, the later of equal ones. Raises KeyError, TypeError or ValueError for a batch that breaks the contract.
    """
    kept: dict[str, tuple[int, int, Mapping[str, Any], int]] = {}
    for batch in batches:
        ids = batch["prediction_ids"]
        times = list(map(milliseconds, batch["timestamps"]))
        label_times = list(map(milliseconds, batch["label_timestamps"]))
        for row, (key, time, label_time) in enumerate(zip(ids, times, label_times, strict=True)):
            known = kept.get(key)
            if known is None or label_time >= known[1]:
                kept[key] = (time, label_time, batch, row)
    ordered = sorted(kept.items(), key=lambda item: (item[1][0], item[0]))
    return _pick(ordered)


def _pick(ordered: Sequence[tuple[str, tuple[int, int, Mapping[str, Any], int]]]) -> Examples:
    places = [(batch, row) for _, (_, _, batch, row) in ordered]
    return Examples(
        ids=[key for key, _ in ordered],
        versions=[str(batch["version"]) for batch, _ in places],
        timestamps=[time for _, (time, _, _, _) in ordered],
        label_timestamps=[label_time for _, (_, label_time, _, _) in ordered],
        predictions=[batch["predictions"][row] for batch, row in places],
        labels=[batch["labels"][row] for batch, row in places],
        probabilities=_named(places, "probabilities"),
        segments=_named(places, "segments"),
        features=_named(places, "features"),
    )


def _named(places: Sequence[tuple[Mapping[str, Any], int]], field: str) -> Columns:
    batches = {id(batch): batch for batch, _ in places}.values()
    names = sorted({name for batch in batches for name in batch.get(field) or ()})
    return {name: [_at((batch.get(field) or {}).get(name), row) for batch, row in places] for name in names}


def _at(column: Any, row: int) -> Any:
    """A column has a value a row; a bare value holds for all rows of its batch."""
    return column[row] if isinstance(column, list) else column

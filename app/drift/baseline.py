"""What a model version looked like when all was well: the reference that everything later is compared with."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, Self

from app.drift.binning import Binning
from app.drift.distribution import Distribution
from app.drift.inheriting import Inherited
from app.drift.references import (
    NumberReference,
    Reference,
    reference_from_record,
)
from app.drift.rhythm import Rhythm
from app.estimates.reference import PerformanceReference
from app.identity import identifier
from app.quality.cardinality import Cardinality
from app.relations.section import Cells, Relations
from app.timestamps import milliseconds, rfc3339


class Section(Protocol):
    """An optional part of a baseline: what one kind of statistics needs of the reference, as JSON. No raw rows."""

    def record(self) -> dict[str, Any]: ...

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Raises ValueError or KeyError when the record is none of this section."""
        ...


# Name of a field below, and in the record -> its class. One that is None is not in the record, nor in the id.
SECTIONS: dict[str, type[Section]] = {
    "inherited": Inherited,
    "performance": PerformanceReference,
    "quality": Cardinality,
    "relations": Relations,
    "rhythm": Rhythm,
}


@dataclass(frozen=True)
class Baseline:
    """Bins and counts of each feature and of the predictions over `size` rows; no raw rows.

    `origin`: "file", "period", "stream" or "inherited". `effective_from`: event time in ms from which on it counts,
    None for ever. `start`, `end`: event time in ms of its first and last row, None where that is not known.
    `predictions`, `labels`: classes as categories, or a regression's numbers. `scores`: of `ClassProbabilities`. The id
    is that of the content, so fitting the same rows again gives the same baseline.
    """

    model: str
    version: str
    created_at: int
    origin: str
    size: int
    effective_from: int | None
    features: Mapping[str, Reference]
    predictions: Reference | None = None
    labels: Reference | None = None
    scores: Reference | None = None
    inherited: Inherited | None = None
    performance: PerformanceReference | None = None
    quality: Cardinality | None = None
    start: int | None = None
    end: int | None = None
    relations: Relations | None = None
    rhythm: Rhythm | None = None

    @cached_property
    def baseline_id(self) -> str:
        return identifier(self.model, self.version, self.origin, self.size, self._content())

    @cached_property
    def binning(self) -> Binning:
        """The features' bins in the form that counts whole chunks."""
        return Binning(self.features)

    @cached_property
    def of_predictions(self) -> Distribution:
        return Distribution(self.predictions)

    @cached_property
    def of_scores(self) -> Distribution:
        return Distribution(self.scores)

    @cached_property
    def of_labels(self) -> Distribution:
        return Distribution(self.labels)

    @cached_property
    def cells(self) -> Cells:
        """The bins of the features that `relations` are between."""
        names = () if self.relations is None else self.relations.names
        return Cells([reference for name in names if isinstance(reference := self.features[name], NumberReference)])

    def to_record(self) -> dict[str, Any]:
        """The message on topic `baselines`."""
        return {
            "baseline_id": self.baseline_id,
            "model": self.model,
            "version": self.version,
            "created_at": rfc3339(self.created_at),
            "origin": self.origin,
            "size": self.size,
            "effective_from": _time(self.effective_from),
            "start": _time(self.start),
            "end": _time(self.end),
        } | self._content()

    def _content(self) -> dict[str, Any]:
        content: dict[str, Any] = {
            "features": {name: reference.record() for name, reference in self.features.items()},
            "predictions": None if self.predictions is None else self.predictions.record(),
        }
        sections = {name: getattr(self, name) for name in ("labels", "scores", *SECTIONS)}
        return content | {name: section.record() for name, section in sections.items() if section is not None}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Baseline":
        """Raises ValueError or KeyError when the record is no baseline, or its id is not that of its content."""
        baseline = cls(
            model=record["model"],
            version=record["version"],
            created_at=milliseconds(record["created_at"]),
            origin=record["origin"],
            size=int(record["size"]),
            effective_from=_milliseconds(record.get("effective_from")),
            start=_milliseconds(record.get("start")),
            end=_milliseconds(record.get("end")),
            features={name: reference_from_record(one) for name, one in sorted(record["features"].items())},
            predictions=_reference(record.get("predictions")),
            labels=_reference(record.get("labels")),
            scores=_reference(record.get("scores")),
            **_sections(record),
        )
        related = () if baseline.relations is None else baseline.relations.names
        if not all(isinstance(baseline.features.get(name), NumberReference) for name in related):
            raise ValueError(f"baseline of {baseline.model}: relations are between features that are numbers")
        if record.get("baseline_id", baseline.baseline_id) != baseline.baseline_id:
            raise ValueError(f"baseline {record['baseline_id']} of {baseline.model} does not match its content")
        return baseline


def _time(moment_ms: int | None) -> str | None:
    return None if moment_ms is None else rfc3339(moment_ms)


def _milliseconds(moment: str | None) -> int | None:
    return None if moment is None else milliseconds(moment)


def _sections(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: kind.from_record(record[name]) for name, kind in SECTIONS.items() if record.get(name) is not None}


def _reference(record: dict[str, Any] | None) -> Reference | None:
    return None if record is None else reference_from_record(record)

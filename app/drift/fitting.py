"""Rows of a file, of a period or of the first events -> a baseline."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from app.decoding.columns import Probabilities
from app.drift.baseline import Baseline
from app.drift.references import BINS, BINS_OF_MANY, MANY_FEATURES, fit_reference
from app.drift.rhythm import Rhythm
from app.estimates.fitting import fit_performance
from app.quality.cardinality import Cardinality
from app.relations.derived import derived_features
from app.relations.section import SAMPLE_ROWS, fit_relations
from app.statistics.classes import ClassProbabilities, class_codes


@dataclass(frozen=True)
class ReferenceData:
    """The rows that a baseline is fitted from, as columns of equal length; one that is not known is empty.

    `features`: raw values as the decoder gives them (numbers are floats; strings, booleans, lists of numbers, None).
    `predictions`, `labels`: class names, or a regression's numbers; None where a row has none. `probabilities`: class
    -> its probability, None where a row has none. `timestamps`: event time in ms. `segments`: column -> value or None.
    """

    features: Mapping[str, Sequence[Any]]
    predictions: Sequence[Any] = ()
    probabilities: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    labels: Sequence[Any] = ()
    timestamps: Sequence[int] | None = None
    segments: Mapping[str, Sequence[str | None]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """The number of rows."""
        columns = (self.predictions, self.labels, self.timestamps or (), *self.features.values())
        return max(map(len, columns), default=0)


def fit(
    model: str,
    version: str,
    data: ReferenceData,
    *,
    created_at: int,
    origin: str,
    effective_from: int | None = None,
    text: Collection[str] = (),
    sample_rows: int = SAMPLE_ROWS,
) -> Baseline:
    """A baseline of these rows; each section says itself what it needs, and is None where that is not there.

    `text`: the features that are configured as text. `sample_rows`: how many rows' bins the baseline may hold.
    Features without a single value are left out. Raises ValueError when there is no row.
    """
    if not data.size:
        raise ValueError(f"no rows to fit a baseline for {model} {version} from")
    derived = derived_features(data.features, text)
    data = replace(data, features=derived.columns)
    bins = BINS if len(derived.columns) <= MANY_FEATURES else BINS_OF_MANY
    fitted = {name: fit_reference(values, bins) for name, values in derived.told().items()} | derived.references
    features = {name: reference for name, reference in sorted(fitted.items()) if reference is not None}
    return Baseline(
        model=model,
        version=version,
        created_at=created_at,
        origin=origin,
        size=data.size,
        effective_from=effective_from,
        start=min(data.timestamps) if data.timestamps else None,
        end=max(data.timestamps) if data.timestamps else None,
        features=features,
        predictions=fit_reference(data.predictions),
        labels=fit_reference(data.labels),
        scores=fit_reference(_scores(data)),
        relations=fit_relations(features, derived.columns, sample_rows, derived.whole),
        performance=fit_performance(data, features),
        quality=Cardinality.fit(data.features),
        rhythm=Rhythm.fit(data.timestamps, derived.columns, features),
    )


def _scores(data: ReferenceData) -> list[float]:
    """(n,) as the stream's scores are, NaN where a row has none."""
    classes = tuple(sorted(data.probabilities))
    if not classes:
        return []
    given = ClassProbabilities(Probabilities(classes, np.array([data.probabilities[c] for c in classes], np.float64).T))
    names, codes = class_codes(data.predictions or [None] * data.size)
    scores: list[float] = given.scores(given.column_of(names, codes)).tolist()
    return scores

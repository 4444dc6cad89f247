"""Rows of number features, for what only rows can say: how the features of a window hang together."""

import numpy as np

from app.decoding.columns import FeatureColumn, Floats, Ints, Kind, PredictionColumns
from app.drift.baseline import Baseline
from app.statistics.groups import Groups
from app.statistics.relations import PreparedRelations, Relations
from bench.statistics.counts import Counts
from bench.statistics.features import feature_names, hidden, is_category
from bench.statistics.world import Rates


def draw_relations(rng: np.random.Generator, rates: Rates, counts: Counts, baseline: Baseline) -> list[Relations]:
    """Of all the traffic, then of each segment; empty where the baseline has none.

    The rows are drawn apart from the counts of each feature: they are as many, and distributed alike.
    """
    if baseline.relations is None:
        return []
    of = np.repeat(np.arange(len(counts.rows)), counts.rows)
    values = hidden(rng, len(of), rates.shift.shape[1], rates.relation) + rates.shift[of]
    values[rng.random(values.shape) < rates.missing[of]] = np.nan
    prepared = PreparedRelations(_columns(rng, values), baseline, None)
    whole, parts = Relations(), [Relations() for _ in counts.rows]
    Relations.update([whole], Groups(np.zeros(len(of), np.int64), 1), prepared, sample=True)
    Relations.update(parts, Groups(of, len(parts)), prepared, sample=False)
    return [whole, *parts]


def _columns(rng: np.random.Generator, values: Floats) -> PredictionColumns:
    """The numbers of (n, F) values, in random places of a partition."""
    size = len(values)
    nothing: list[str | None] = [None] * size
    offsets: Ints = rng.integers(0, 2**40) + np.arange(size)
    names = feature_names(values.shape[1])
    numbers = {name: place for place, name in enumerate(names) if not is_category(place)}
    return PredictionColumns(
        model="bench",
        version="1",
        task="classification",
        offsets=offsets,
        timestamps=offsets,
        ids=[],
        failed=np.zeros(size, np.bool_),
        weights=None,
        latency_ms=np.zeros(size),
        features={name: FeatureColumn(Kind.NUMBER, values[:, place], None) for name, place in numbers.items()},
        as_sent=[],
        predicted=nothing,
        values=np.zeros(0),
        probabilities=None,
        segments={},
    )

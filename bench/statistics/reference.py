"""The baseline of a simulated stream, fitted from rows of its healthy days."""

from typing import Any

import numpy as np

from app.decoding.columns import Floats
from app.drift.baseline import Baseline
from app.drift.fitting import ReferenceData, fit
from bench.statistics.counts import SCORES
from bench.statistics.features import feature_names, hidden, raw_values
from bench.statistics.product import MODEL, START_MS, VERSION, segment
from bench.statistics.setup import DAY_S, USUAL
from bench.statistics.world import Rates, World

DAYS = 7


def reference(world: World) -> Baseline:
    """Of `reference_rows` over the windows of a week, as of a file; the world goes on after them."""
    data = reference_rows(world, max(round(DAYS * DAY_S / world.setup.window_s), 1))
    return fit(MODEL, VERSION, data, created_at=START_MS, origin="file")


def reference_rows(world: World, windows: int) -> ReferenceData:
    """`reference_rows` rows over so many windows, before the stream begins."""
    setup, rng = world.setup, world.rng
    told = [world.rates() for _ in range(windows)]
    expected = np.array([rates.rows.sum() for rates in told])
    of = np.repeat(np.arange(windows), rng.multinomial(setup.reference_rows, expected / expected.sum()))
    shift = np.array([rates.shift[0] for rates in told])[of]
    missing = np.array([rates.missing[0] for rates in told])[of]
    values = hidden(rng, len(of), setup.features, USUAL.relation)
    features: dict[str, list[Any]] = {
        name: raw_values(rng, place, values[:, place], shift[:, place], missing[:, place])
        for place, name in enumerate(feature_names(setup.features))
    }
    segments = rng.integers(0, setup.segments, len(of))
    predicted = rng.random(len(of)) < 0.5
    right = rng.random(len(of)) < _accuracy(told, of, segments)
    return ReferenceData(
        features=features,
        predictions=_classes(predicted),
        probabilities=_probabilities(rng, predicted),
        labels=_classes(np.where(right, predicted, ~predicted)),
        timestamps=(START_MS - ((windows - of) * setup.window_s * 1000 - 1)).tolist(),
        segments={"segment": [segment(place)[0][1] for place in segments.tolist()]},
    )


def _accuracy(told: list[Rates], of: Any, segments: Any) -> Floats:
    accuracy: Floats = np.array([rates.accuracy for rates in told])[of, segments]
    return accuracy


def _classes(positive: Any) -> list[str]:
    found: list[str] = np.where(positive, "yes", "no").tolist()
    return found


def _probabilities(rng: np.random.Generator, predicted: Any) -> dict[str, list[float | None]]:
    """Calibrated on average: the mean confidence is the usual accuracy."""
    bins = rng.choice(len(SCORES), len(predicted), p=SCORES)
    scores = (bins + rng.random(len(bins))) / len(SCORES)
    confidence = np.maximum(scores, 1 - scores)
    positive = np.where(predicted, confidence, 1 - confidence)
    assert abs(confidence.mean() - USUAL.accuracy) < 0.05
    return {"no": (1 - positive).tolist(), "yes": positive.tolist()}

"""A window's sufficient statistics, drawn as such: what ingest would have counted of rows that were never made."""

from dataclasses import dataclass, fields

import numpy as np
from scipy.special import ndtr

from app.decoding.columns import Floats, Ints
from app.statistics.histogram import BUCKETS, GAMMA, LOW, Buckets
from app.statistics.outputs import SCORE_BINS
from bench.statistics.features import BinnedFeatures
from bench.statistics.setup import USUAL
from bench.statistics.world import Rates


@dataclass(frozen=True, slots=True)
class Counts:
    """Whole numbers of S segments. `bins`: in the baseline's bins, padded; `confusion`: by label and prediction."""

    rows: Ints  # (S,)
    errors: Ints  # (S,)
    present: Ints  # (S, F)
    bins: Ints  # (S, F, W)
    latency: Ints  # (S, K), from bucket `FIRST` on
    scores: Ints  # (S, 20)
    confusion: Ints  # (S, 2, 2)

    def whole(self) -> "Counts":
        """All segments together, as the only one."""
        return Counts(*(getattr(self, own.name).sum(axis=0, keepdims=True) for own in fields(self)))

    @property
    def predicted(self) -> Ints:
        """(S, 2) predictions of the negative and the positive class: the surer one."""
        found: Ints = self.scores.reshape(-1, 2, SCORE_BINS // 2).sum(axis=2)
        return found

    @property
    def labels(self) -> Ints:
        """(S,)"""
        found: Ints = self.confusion.sum(axis=(1, 2))
        return found

    @property
    def wrong(self) -> Ints:
        """(S,) labels that the prediction missed."""
        found: Ints = self.confusion[:, 0, 1] + self.confusion[:, 1, 0]
        return found


# Latencies of interest: 12 deviations of the logarithm to either side cut off nothing that a run could show.
_SIDE = 6 * USUAL.latency_spread
FIRST = Buckets(np.array([USUAL.latency_ms * np.exp(-_SIDE)])).first
LAST = Buckets(np.array([USUAL.latency_ms * np.exp(_SIDE)])).first
assert LAST < BUCKETS
# A calibrated model of this confidence is right as often as the usual one.
MIDDLES: Floats = (np.arange(SCORE_BINS) + 0.5) / SCORE_BINS
CONFIDENCE: Floats = np.maximum(MIDDLES, 1 - MIDDLES)


def _confident(mean: float) -> Floats:
    """(20,) shares of the score bins, more the surer, with this mean confidence: by bisection of the exponent."""
    low, high = 0.0, 100.0
    for _ in range(60):
        middle = (low + high) / 2
        shares = np.exp(middle * CONFIDENCE)
        shares /= shares.sum()
        low, high = (middle, high) if shares @ CONFIDENCE < mean else (low, middle)
    return shares


SCORES = _confident(USUAL.accuracy)


def latency_shares(median_ms: float) -> Floats:
    """(K,) of the log histogram's buckets from `FIRST` to `LAST`, lognormal."""

    edges = np.log(LOW) + np.log(GAMMA) * (np.arange(FIRST, LAST + 2) - 2)
    below = ndtr((edges - np.log(median_ms)) / USUAL.latency_spread)
    below[0], below[-1] = 0.0, 1.0
    shares: Floats = np.diff(below)
    return shares


def draw_counts(rng: np.random.Generator, rates: Rates, features: BinnedFeatures) -> Counts:
    """One window."""
    rows = rng.poisson(rates.rows)
    errors = rng.binomial(rows, rates.error_rate)
    present = rng.binomial(rows[:, None], 1 - rates.missing)
    labels = rng.binomial(rows - errors, USUAL.labelled)
    right = rng.binomial(labels, rates.accuracy)
    of_right, of_wrong = rng.binomial(right, 0.5), rng.binomial(labels - right, 0.5)
    confusion = np.stack([of_right, of_wrong, labels - right - of_wrong, right - of_right], axis=-1)
    return Counts(
        rows=rows,
        errors=errors,
        present=present,
        bins=rng.multinomial(present, features.probabilities(rates.shift)),
        latency=rng.multinomial(rows, latency_shares(rates.latency_ms)),
        scores=rng.multinomial(rows - errors, SCORES),
        confusion=confusion.reshape(-1, 2, 2),
    )

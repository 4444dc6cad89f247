"""ROC-AUC from scores in bins."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from app.decoding.columns import Floats, Ints
from app.statistics.groups import Groups

STEPS = 32
LIMIT = 16
BINS = 2 * LIMIT * STEPS
# A probability beyond this is at the limit anyway, and its logarithm stays finite.
_EDGE = 1e-9
# What corrected labels took back of a bin may leave this share of all weight, by rounding.
NOTHING = 1e-12


class Scores:
    """Weights of the positive and the negative rows in bins of the score, uniform in log-odds (1/32, clipped at +-16).

    A pair of a positive and a negative row in one bin counts half, like a tie; so the area is off by at most half the
    share of such pairs, `tied()`. Kept for one positive class: met with another one, the figures are dropped.
    """

    __slots__ = ("first", "mixed", "positive", "weights")

    def __init__(self) -> None:
        self.positive: str | None = None
        self.mixed = False
        self.first = 0
        self.weights: Floats = np.zeros((2, 0))

    @staticmethod
    def update(members: Sequence["Scores"], groups: Groups, bins: Ints, positive: Ints, weights: Floats) -> None:
        """Adds rows. `bins`: (n,) of the score; `positive`: (n,) 1 where the row's label is the positive class."""
        if not len(bins):
            return
        first, width = int(bins.min()), int(np.ptp(bins)) + 1
        stretches = [member._stretch(first, width) for member in members]
        running = np.zeros((groups.size + 1, 2, width))
        for own, stretch in zip(running, stretches, strict=False):
            own[:] = stretch
        np.add.at(running.reshape(-1), (groups.index * 2 + positive) * width + (bins - first), weights)
        for own, stretch in zip(running, stretches, strict=False):
            stretch[:] = own

    def meet(self, positive: str) -> None:
        """Says which class is the positive one in what is added next."""
        if self.positive is None:
            self.positive = positive
        if self.positive != positive:
            self._drop()

    def _drop(self) -> None:
        self.mixed, self.positive = True, ""
        self.first, self.weights = 0, np.zeros((2, 0))

    def _stretch(self, first: int, width: int) -> Floats:
        last, own = first + width, self.weights.shape[1]
        if not own:
            self.first, self.weights = first, np.zeros((2, width))
        elif first < self.first or last > self.first + own:
            low, high = min(first, self.first), max(last, self.first + own)
            grown = np.zeros((2, high - low))
            grown[:, self.first - low : self.first - low + own] = self.weights
            self.first, self.weights = low, grown
        return self.weights[:, first - self.first : last - self.first]

    def merge(self, other: "Scores") -> None:
        if other.positive is None:
            return
        self.meet(other.positive)
        if other.mixed:
            self._drop()
        if not self.mixed and other.weights.shape[1]:
            self._stretch(other.first, other.weights.shape[1])[:] += other.weights

    def area(self) -> float | None:
        """The area under the ROC curve: the share of (positive, negative) pairs in the right order."""
        negative, positive = np.where(self.weights > NOTHING * self.weights.sum(), self.weights, 0.0)
        below = np.cumsum(negative)
        pairs = _in_order(negative) * _in_order(positive)
        return _in_order(positive * (below - negative / 2)) / pairs if pairs > 0 else None

    def tied(self) -> float | None:
        """Half the share of pairs that share a bin: the largest error of `area`."""
        negative, positive = self.weights
        pairs = _in_order(negative) * _in_order(positive)
        return _in_order(positive * negative) / pairs / 2 if pairs > 0 else None

    def state(self) -> dict[str, Any]:
        if self.mixed:
            return {"positive": "", "mixed": True}
        used = np.flatnonzero(self.weights.any(axis=0))
        return {
            "positive": self.positive,
            "bins": (used + self.first).tolist(),
            "weights": self.weights[:, used].tolist(),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Scores":
        scores = cls()
        scores.positive = state["positive"]
        scores.mixed = state.get("mixed", False)
        bins = state.get("bins")
        if bins:
            places = np.array(bins, np.int64) - bins[0]
            scores._stretch(bins[0], bins[-1] - bins[0] + 1)[:, places] = state["weights"]
        return scores


def _in_order(values: Floats) -> float:
    """Their sum from left to right: unlike numpy's in pairs, the same whatever empty bins lie around."""
    return float(np.cumsum(values)[-1]) if len(values) else 0.0


def score_bins(probabilities: Floats) -> Ints:
    """(n,) the bin of each probability."""
    clipped = np.clip(probabilities, _EDGE, 1 - _EDGE)
    odds = np.log(clipped / (1 - clipped))
    bins: Ints = np.clip(np.floor((odds + LIMIT) * STEPS), 0, BINS - 1).astype(np.int64)
    return bins

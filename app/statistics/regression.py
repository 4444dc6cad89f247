"""How far a regression's numbers are from the truth."""

from collections.abc import Sequence
from math import sqrt
from typing import Any

import numpy as np

from app.decoding.columns import Floats, PairColumns
from app.estimates.losses import ExpectedLosses
from app.statistics.groups import Groups
from app.statistics.histogram import Buckets, LogHistogram

# Beyond this a value can't be squared and summed; such rows count in no figure.
LARGEST = 1e100
# Errors are told apart from 1e-5 to 1e7.
ERROR_UNITS = 100.0
WEIGHT, ABSOLUTE, ERROR, SQUARED, RELATIVE_WEIGHT, RELATIVE, SHIFTED, SHIFTED_SQUARED = range(8)


class Regression:
    """Weighted sums over pairs of a predicted number and its truth, by the names above.

    The truth's variance is summed around `shift`, the first truth seen: since that is one of the values, no more than a
    factor of n is lost to cancellation, whatever the mean. Merging moves the other's sums to the own shift (Chan,
    Golub and LeVeque, 1983). MAPE leaves out rows whose truth is 0. `losses`: what a labelled baseline expected of the
    same pairs. `errors`: absolute errors in hundredths, to tell large ones from usual ones; without weights.
    """

    __slots__ = ("errors", "losses", "shift", "sums")

    def __init__(self) -> None:
        self.shift: float | None = None
        self.sums: Floats = np.zeros(8)
        self.losses = ExpectedLosses()
        self.errors = LogHistogram()

    @staticmethod
    def update(members: Sequence["Regression"], groups: Groups, prepared: "PreparedRegression") -> None:
        own = groups.only(prepared.counted)
        if any(member.shift is None for member in members):
            for group, first in zip(*np.unique(own.index, return_index=True), strict=True):
                if group < own.size and members[group].shift is None:
                    members[group].shift = float(prepared.truth[first])
        shifts = np.array([*(member.shift or 0.0 for member in members), 0.0])
        moved = prepared.truth - shifts[own.index]
        weighted = prepared.weights * moved
        columns = [*prepared.columns, weighted, weighted * moved]
        own.carry([member.sums for member in members], columns)
        if prepared.errors.width:
            LogHistogram.update([member.errors for member in members], own, prepared.errors)

    @property
    def seen(self) -> bool:
        return self.shift is not None

    def merge(self, other: "Regression") -> None:
        self.losses.merge(other.losses)
        self.errors.merge(other.errors)
        if other.shift is None:
            return
        self.shift = other.shift if self.shift is None else self.shift
        by = other.shift - self.shift
        weight, first, second = other.sums[[WEIGHT, SHIFTED, SHIFTED_SQUARED]].tolist()
        self.sums[:SHIFTED] += other.sums[:SHIFTED]
        self.sums[SHIFTED] += first + weight * by
        self.sums[SHIFTED_SQUARED] += second + 2 * by * first + weight * by * by

    def metrics(self) -> dict[str, float]:
        sums = self.sums.tolist()
        weight = sums[WEIGHT]
        if weight <= 0:
            return {}
        found = {
            "mae": sums[ABSOLUTE] / weight,
            "rmse": sqrt(sums[SQUARED] / weight),
            "bias": sums[ERROR] / weight,
        }
        if sums[RELATIVE_WEIGHT] > 0:
            found["mape"] = sums[RELATIVE] / sums[RELATIVE_WEIGHT]
        spread = sums[SHIFTED_SQUARED] - sums[SHIFTED] ** 2 / weight
        if spread > 0:
            found["r2"] = 1 - sums[SQUARED] / spread
        return found

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = {"shift": self.shift, "sums": self.sums.tolist()}
        state |= {"errors": self.errors.state()} if self.errors.seen else {}
        return state | ({"losses": self.losses.state()} if self.losses.seen else {})

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Regression":
        own = cls()
        own.shift = state["shift"]
        own.sums[:] = state["sums"]
        own.losses = ExpectedLosses.from_state(state["losses"]) if "losses" in state else own.losses
        own.errors = LogHistogram.from_state(state["errors"]) if "errors" in state else own.errors
        return own


class PreparedRegression:
    """What a chunk's pairs add, worked out once for all groupings. `counted`: (n,) rows with both numbers."""

    __slots__ = ("columns", "counted", "errors", "truth", "weights")

    def __init__(self, pairs: PairColumns, weights: Floats) -> None:
        self.counted = (np.abs(pairs.values) <= LARGEST) & (np.abs(pairs.label_values) <= LARGEST)
        self.weights: Floats = np.where(self.counted, weights, 0.0)
        self.truth: Floats = np.where(self.counted, pairs.label_values, 0.0)
        error = np.where(self.counted, pairs.values, 0.0) - self.truth
        self.errors = Buckets(np.where(self.counted, ERROR_UNITS * np.abs(error), np.nan))
        # Truths next to 0 would carry the sum out of range.
        relative = np.where(np.abs(self.truth) > 1 / LARGEST, self.weights, 0.0)
        shares = np.divide(np.abs(error), np.abs(self.truth), out=np.zeros(len(error)), where=relative != 0)
        self.columns: list[Floats] = [
            self.weights,
            self.weights * np.abs(error),
            self.weights * error,
            self.weights * error**2,
            relative,
            relative * shares,
        ]

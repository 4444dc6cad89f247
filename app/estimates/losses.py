"""Direct loss estimation: the sums of the losses that a baseline's trees expect of a regression's predictions.

As NannyML's DLE: a model of the loss, given features and prediction, is learned from labelled rows.
"""

from collections.abc import Sequence
from math import isfinite, sqrt
from typing import Any

import numpy as np

from app.decoding.columns import FeatureColumn, Floats
from app.estimates.expected import Z
from app.estimates.trees import LossTrees
from app.statistics.binned import MIXED
from app.statistics.groups import Groups

WEIGHT, ABSOLUTE, SQUARED, ABSOLUTE_SQUARED, WEIGHT_SQUARED = range(5)
# Expected losses and real ones: what a pair adds by its truth.
REAL_ABSOLUTE, REAL_SQUARED = 5, 6
_LARGEST = 1e100


class ExpectedLosses:
    """Weighted sums over rows, by the names above, of losses that the trees of one baseline expect.

    `baseline_id`: None while nothing was counted; "mixed" after rows of two baselines, whose sums are dropped.
    """

    __slots__ = ("baseline_id", "sums")

    def __init__(self) -> None:
        self.baseline_id: str | None = None
        self.sums: Floats = np.zeros(7)

    @staticmethod
    def update(members: Sequence["ExpectedLosses"], groups: Groups, prepared: "PreparedLosses") -> None:
        for member, rows in zip(members, groups.rows().tolist(), strict=True):
            if rows:
                member._meet(prepared.baseline_id)
        own = [member.sums if member.baseline_id != MIXED else np.zeros(7) for member in members]
        groups.carry(own, prepared.columns)

    def _meet(self, baseline_id: str) -> None:
        if self.baseline_id is None:
            self.baseline_id = baseline_id
        elif self.baseline_id != baseline_id:
            self.baseline_id, self.sums = MIXED, np.zeros(7)

    @property
    def seen(self) -> bool:
        return self.baseline_id is not None

    def merge(self, other: "ExpectedLosses") -> None:
        if other.baseline_id is not None:
            self._meet(other.baseline_id)
            if self.baseline_id != MIXED:
                self.sums += other.sums

    def state(self) -> list[Any]:
        return [self.baseline_id, *self.sums.tolist()]

    @classmethod
    def from_state(cls, state: Sequence[Any]) -> "ExpectedLosses":
        losses = cls()
        losses.baseline_id, losses.sums[:] = state[0], state[1:]
        return losses

    def metrics(self, factor: float = 1.0) -> dict[str, float]:
        """Mean absolute error, with its interval, and root mean squared error. `factor`: what corrects the errors.

        The interval is of what turns out: real errors vary around the expected ones by squared - absolute^2.
        """
        weight, absolute, squared, mean_squares, weights_squared = self.sums[:REAL_ABSOLUTE].tolist()
        if weight <= 0:
            return {}
        mae, rmse = factor * absolute / weight, factor * sqrt(squared / weight)
        spread = factor * sqrt(max(squared - mean_squares, 0.0) / weight * weights_squared / weight**2)
        found = {
            "estimated_mae": mae,
            "estimated_mae_low": max(mae - Z * spread, 0.0),
            "estimated_mae_high": mae + Z * spread,
            "estimated_rmse": rmse,
        }
        return {name: value for name, value in found.items() if isfinite(value)}


class PreparedLosses:
    """What a chunk adds to the sums, worked out once. `columns`: seven (n,)."""

    __slots__ = ("baseline_id", "columns")

    def __init__(
        self,
        trees: LossTrees,
        baseline_id: str,
        features: dict[str, FeatureColumn],
        predictions: Floats,
        weights: Floats,
        truth: Floats | None = None,
    ) -> None:
        """`predictions`, `weights`, `truth`: (n,); rows without a prediction, or a truth, add nothing."""
        self.baseline_id = baseline_id
        errors = predictions * 0.0 if truth is None else np.abs(predictions - truth)
        counted = np.abs(predictions) + errors <= _LARGEST
        weights = np.where(counted, weights, 0.0)
        absolute, squared = trees.expect(features, predictions)
        expected = [weights, weights * absolute, weights * squared, weights * absolute**2, weights * np.abs(weights)]
        real = np.where(counted, errors, 0.0)
        self.columns = [*expected, weights * real, weights * real**2]

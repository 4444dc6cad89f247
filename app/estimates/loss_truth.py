"""Expected losses of a regression beside the real ones: how far off they were, and what corrects them."""

from collections.abc import Mapping
from math import sqrt
from typing import Any

import numpy as np

from app.decoding.columns import Floats
from app.estimates.losses import (
    ABSOLUTE,
    ABSOLUTE_SQUARED,
    REAL_ABSOLUTE,
    SQUARED,
    WEIGHT,
    WEIGHT_SQUARED,
    ExpectedLosses,
)
from app.estimates.truth import BATCH_LABELS, GENERATION_ROWS, SIGMAS
from app.statistics.binned import MIXED

# An expected error that is off by so little of itself is good enough to act on.
TOLERANCE = 0.1


class LossTruth:
    """One version's expected losses beside its labels.

    `error`: real less expected mean absolute error over the last `BATCH_LABELS` labels or more, None before there were
    as many. `wrong`: whether that was beyond noise and tolerance. `batch`: sums of pairs since the last comparison;
    `older`, `newer`: those before by generation.
    """

    def __init__(self, state: Mapping[str, Any] | None = None) -> None:
        state = state or {}
        self.baseline_id: str | None = state.get("baseline_id")
        self.error: float | None = state.get("error")
        self.wrong: bool = state.get("wrong", False)
        nothing = [0.0] * len(ExpectedLosses().sums)
        self.batch, self.older, self.newer = (
            np.array(state.get(name, nothing)) for name in ("batch", "older", "newer")
        )

    def state(self) -> dict[str, Any]:
        sums = {"batch": self.batch, "older": self.older, "newer": self.newer}
        known = {"baseline_id": self.baseline_id, "error": self.error, "wrong": self.wrong}
        return known | {name: own.tolist() for name, own in sums.items() if own.any()}

    @property
    def trusted(self) -> bool:
        return self.baseline_id is not None and not self.wrong

    @property
    def factor(self) -> float:
        """What real errors have been to the expected ones; 1 before there were enough labels."""
        sums: Floats = self.older + self.newer
        enough = sums[WEIGHT] >= BATCH_LABELS and sums[ABSOLUTE] > 0 and sums[REAL_ABSOLUTE] > 0
        return float(sums[REAL_ABSOLUTE] / sums[ABSOLUTE]) if enough else 1.0

    def begin(self, baseline_id: str) -> None:
        """Trees of another baseline are off by something else."""
        if self.baseline_id != baseline_id:
            self.baseline_id, self.error, self.wrong = baseline_id, None, False
            self.batch = self.older = self.newer = np.zeros_like(self.batch)

    def learn(self, pairs: ExpectedLosses) -> None:
        """Takes in the pairs of a window, if the baseline's trees told of them."""
        if pairs.baseline_id in (None, MIXED) or pairs.baseline_id != self.baseline_id:
            return
        self.batch = self.batch + pairs.sums
        if self.batch[WEIGHT] >= BATCH_LABELS:
            self._compare(self.batch, self.factor)
            if self.wrong:
                self.older, self.newer = np.zeros_like(self.older), np.zeros_like(self.newer)
            self.newer = self.newer + self.batch
            self.batch = np.zeros_like(self.batch)
            if self.newer[WEIGHT] >= GENERATION_ROWS:
                self.older, self.newer = self.newer, self.batch

    def _compare(self, batch: Floats, factor: float) -> None:
        rows = float(batch[WEIGHT])
        expected, real = factor * float(batch[ABSOLUTE]) / rows, float(batch[REAL_ABSOLUTE]) / rows
        variance = factor**2 * max(float(batch[SQUARED] - batch[ABSOLUTE_SQUARED]), 0.0) / rows
        deviation = sqrt(variance * float(batch[WEIGHT_SQUARED])) / rows
        self.error = real - expected
        self.wrong = abs(self.error) - TOLERANCE * expected > SIGMAS * deviation

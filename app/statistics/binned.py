"""Counts in the bins of a baseline."""

from typing import Any

import numpy as np

from app.decoding.columns import Ints

MIXED = "mixed"


class Binned:
    """Rows counted in the bins of one baseline. Met with another baseline, the counts are dropped for good.

    `baseline_id`: None while nothing was counted, "mixed" after two baselines. `rows`: those counted.
    """

    __slots__ = ("baseline_id", "counts", "rows")

    def __init__(self, baseline_id: str | None = None, rows: int = 0, counts: Ints | None = None) -> None:
        self.baseline_id = baseline_id
        self.rows = rows
        self.counts: Ints = np.zeros(0, np.int64) if counts is None else counts

    def add(self, baseline_id: str | None, rows: int, counts: Ints) -> None:
        if not rows and baseline_id != MIXED:
            return
        if self.baseline_id is None and baseline_id is not None:
            self.baseline_id, self.rows, self.counts = baseline_id, rows, counts.copy()
        elif self.baseline_id == baseline_id != MIXED:
            self.rows += rows
            self.counts += counts
        else:
            self.baseline_id, self.rows, self.counts = MIXED, 0, np.zeros(0, np.int64)

    def merge(self, other: "Binned") -> None:
        if other.baseline_id is not None:
            self.add(other.baseline_id, other.rows, other.counts)

    def all_in(self, baseline_id: str, rows: int) -> bool:
        """Whether all `rows` rows were counted in the bins of this baseline."""
        return self.baseline_id == baseline_id and self.rows == rows > 0

    def state(self) -> list[Any]:
        return [self.baseline_id, self.rows, self.counts.tolist()]

    @classmethod
    def from_state(cls, state: list[Any]) -> "Binned":
        return cls(state[0], state[1], np.array(state[2], np.int64))

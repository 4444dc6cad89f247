"""How many predictions there were, and how many of them failed."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import Floats
from app.statistics.groups import Groups


class Traffic:
    """Predictions and errors: as counted, and weighted by 1 / sampling fraction. `sums`: weight of all, of errors."""

    __slots__ = ("errors", "predictions", "sums")

    def __init__(self) -> None:
        self.predictions = 0
        self.errors = 0
        self.sums: Floats = np.zeros(2)

    @staticmethod
    def update(members: Sequence["Traffic"], groups: Groups, failed: NDArray[np.bool_], weights: Floats) -> None:
        counts = groups.count(failed.astype(np.int64), 2)
        for member, (good, bad) in zip(members, counts.tolist(), strict=True):
            member.predictions += good + bad
            member.errors += bad
        groups.carry([member.sums for member in members], [weights, np.where(failed, weights, 0.0)])

    @property
    def seen(self) -> bool:
        return self.predictions > 0

    def merge(self, other: "Traffic") -> None:
        self.predictions += other.predictions
        self.errors += other.errors
        self.sums += other.sums

    def metrics(self, duration_s: float) -> dict[str, float]:
        weight, failed = self.sums.tolist()
        found = {"throughput_per_s": weight / duration_s} if self.predictions and duration_s > 0 else {}
        return found | ({"error_rate": failed / weight} if weight > 0 else {})

    def state(self) -> list[float]:
        return [self.predictions, self.errors, *self.sums.tolist()]

    @classmethod
    def from_state(cls, state: list[float]) -> "Traffic":
        traffic = cls()
        traffic.predictions, traffic.errors = int(state[0]), int(state[1])
        traffic.sums[:] = state[2:]
        return traffic

"""How many predictions got their label, how long that took, and how many labels were corrected."""

from collections.abc import Sequence
from typing import Any

from app.statistics.groups import Groups
from app.statistics.histogram import Buckets, LogHistogram


class Labels:
    """Joined labels. `lag`: seconds from the prediction to its label. `corrected`: labels that replaced one."""

    __slots__ = ("corrected", "lag")

    def __init__(self) -> None:
        self.lag = LogHistogram()
        self.corrected = 0

    @property
    def count(self) -> int:
        return self.lag.count

    @staticmethod
    def update(members: Sequence["Labels"], groups: Groups, lags: Buckets) -> None:
        LogHistogram.update([member.lag for member in members], groups, lags)

    @staticmethod
    def correct(members: Sequence["Labels"], groups: Groups) -> None:
        """Counts each row as a correction."""
        for member, rows in zip(members, groups.rows().tolist(), strict=True):
            member.corrected += rows

    @property
    def seen(self) -> bool:
        return self.lag.seen or self.corrected > 0

    def merge(self, other: "Labels") -> None:
        self.lag.merge(other.lag)
        self.corrected += other.corrected

    def metrics(self) -> dict[str, float]:
        figures = {
            "labels_corrected": self.corrected if self.seen else None,
            "label_lag_p50_s": self.lag.quantile(0.5),
            "label_lag_p95_s": self.lag.quantile(0.95),
            "label_lag_mean_s": self.lag.mean(),
        }
        return {name: value for name, value in figures.items() if value is not None}

    def state(self) -> dict[str, Any]:
        return self.lag.state() | ({"corrected": self.corrected} if self.corrected else {})

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Labels":
        labels = cls()
        labels.lag = LogHistogram.from_state(state)
        labels.corrected = state.get("corrected", 0)
        return labels

"""How many predictions got their label, and how long that took."""

from collections.abc import Sequence
from typing import Any

from app.statistics.groups import Groups
from app.statistics.histogram import Buckets, LogHistogram


class Labels:
    """Joined labels. `lag`: seconds from the prediction to its label."""

    __slots__ = ("lag",)

    def __init__(self) -> None:
        self.lag = LogHistogram()

    @property
    def count(self) -> int:
        return self.lag.count

    @staticmethod
    def update(members: Sequence["Labels"], groups: Groups, lags: Buckets) -> None:
        LogHistogram.update([member.lag for member in members], groups, lags)

    @property
    def seen(self) -> bool:
        return self.lag.seen

    def merge(self, other: "Labels") -> None:
        self.lag.merge(other.lag)

    def metrics(self) -> dict[str, float]:
        figures = {
            "label_lag_p50_s": self.lag.quantile(0.5),
            "label_lag_p95_s": self.lag.quantile(0.95),
            "label_lag_mean_s": self.lag.mean(),
        }
        return {name: value for name, value in figures.items() if value is not None}

    def state(self) -> dict[str, Any]:
        return self.lag.state()

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Labels":
        labels = cls()
        labels.lag = LogHistogram.from_state(state)
        return labels

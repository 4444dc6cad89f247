"""How many predictions got their label, how long that took, and how many labels were corrected."""

from collections.abc import Sequence
from typing import Any

from app.drift.baseline import Baseline
from app.drift.comparison import Drift
from app.statistics.binned import Binned
from app.statistics.groups import Groups
from app.statistics.histogram import Buckets, LogHistogram
from app.statistics.truth import PreparedTruth


class Labels:
    """Joined labels. `lag`: seconds from the prediction to its label. `corrected`: labels that replaced one.

    `numbers`: those of a regression, as they came first; `binned`: these in the baseline's bins.
    """

    __slots__ = ("binned", "corrected", "lag", "numbers")

    def __init__(self) -> None:
        self.lag = LogHistogram()
        self.corrected = 0
        self.numbers = 0
        self.binned = Binned()

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

    @staticmethod
    def bin(members: Sequence["Labels"], groups: Groups, truth: PreparedTruth) -> None:
        """Counts the labels that are numbers."""
        for member, rows in zip(members, groups.only(truth.present).rows().tolist(), strict=True):
            member.numbers += rows
        for baseline_id, bins, width in truth.binned:
            for member, counts in zip(members, groups.count(bins, width + 1)[:, :width], strict=True):
                member.binned.add(baseline_id, int(counts.sum()), counts)

    def drift(self, baseline: Baseline) -> Drift:
        """The distances of a regression's labels; empty unless all were counted against this baseline."""
        if not self.binned.all_in(baseline.baseline_id, self.numbers):
            return {}
        return baseline.of_labels.of_numbers(self.binned.counts)

    @property
    def seen(self) -> bool:
        return self.lag.seen or self.corrected > 0

    def merge(self, other: "Labels") -> None:
        self.lag.merge(other.lag)
        self.corrected += other.corrected
        self.numbers += other.numbers
        self.binned.merge(other.binned)

    def metrics(self) -> dict[str, float]:
        figures = {
            "labels_corrected": self.corrected if self.seen else None,
            "label_lag_p50_s": self.lag.quantile(0.5),
            "label_lag_p95_s": self.lag.quantile(0.95),
            "label_lag_mean_s": self.lag.mean(),
        }
        return {name: value for name, value in figures.items() if value is not None}

    def state(self) -> dict[str, Any]:
        state = self.lag.state() | ({"corrected": self.corrected} if self.corrected else {})
        if self.numbers:
            state["numbers"] = self.numbers
        if self.binned.baseline_id is not None:
            state["binned"] = self.binned.state()
        return state

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Labels":
        labels = cls()
        labels.lag = LogHistogram.from_state(state)
        labels.corrected = state.get("corrected", 0)
        labels.numbers = state.get("numbers", 0)
        labels.binned = Binned.from_state(state["binned"]) if "binned" in state else labels.binned
        return labels

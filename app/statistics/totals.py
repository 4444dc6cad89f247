"""All statistics of one group of rows: one model version, segment and pane."""

from collections.abc import Iterable
from math import isfinite
from typing import Any, Protocol

import numpy as np

from app.decoding.columns import Ints
from app.drift.baseline import Baseline
from app.drift.comparison import Drift
from app.quality.report import by_feature
from app.quality.schema import schema_changes
from app.statistics.checks import Checks
from app.statistics.classification import Classification
from app.statistics.contents import Contents
from app.statistics.features import Features
from app.statistics.histogram import LogHistogram
from app.statistics.labels import Labels
from app.statistics.outputs import Outputs
from app.statistics.regression import Regression
from app.statistics.relations import Relations
from app.statistics.resources import Resources
from app.statistics.sample import Sample
from app.statistics.traffic import Traffic


class _Part(Protocol):
    """What every accumulator is."""

    @property
    def seen(self) -> bool: ...
    def merge(self, other: Any) -> None: ...
    def state(self) -> Any: ...


PARTS: dict[str, Any] = {
    "traffic": Traffic,
    "latency": LogHistogram,
    "features": Features,
    "checks": Checks,
    "contents": Contents,
    "age": LogHistogram,
    "sample": Sample,
    "relations": Relations,
    "outputs": Outputs,
    "classification": Classification,
    "regression": Regression,
    "labels": Labels,
    "resources": Resources,
}


class Totals:
    """The accumulators of a group, each None until it has seen something; `late`: rows that came too late."""

    __slots__ = (*PARTS, "late")

    traffic: Traffic | None
    latency: LogHistogram | None
    features: Features | None
    checks: Checks | None
    contents: Contents | None
    age: LogHistogram | None
    sample: Sample | None
    relations: Relations | None
    outputs: Outputs | None
    classification: Classification | None
    regression: Regression | None
    labels: Labels | None
    resources: Resources | None

    def __init__(self) -> None:
        for name in PARTS:
            setattr(self, name, None)
        self.late = 0

    @property
    def predictions(self) -> int:
        return self.traffic.predictions if self.traffic is not None else 0

    @property
    def errors(self) -> int:
        return self.traffic.errors if self.traffic is not None else 0

    @property
    def label_count(self) -> int:
        return self.labels.count if self.labels is not None else 0

    def merge(self, other: "Totals") -> None:
        """Adds `other`, which stays as it is. Float sums depend on the order of merging: the caller fixes it."""
        for name, kind in PARTS.items():
            theirs: _Part | None = getattr(other, name)
            if theirs is None:
                continue
            own: _Part | None = getattr(self, name)
            if own is None:
                setattr(self, name, kind.from_state(theirs.state()))
            else:
                own.merge(theirs)
        self.forget_surplus()
        self.late += other.late

    def forget_surplus(self) -> None:
        """What is kept by name is kept of those features only that there is room for."""
        if self.features is not None and self.features.surplus:
            for part in (self.checks, self.contents):
                if part is not None:
                    part.keep(self.features.names)

    def take_sample(self) -> Sample | None:
        """The rows for fitting a baseline, which these totals then hold no longer."""
        sample, self.sample = self.sample, None
        return sample

    def metrics(self, duration_s: float) -> dict[str, float]:
        """All metrics that there is data for. `duration_s`: of the window, for rates."""
        found: dict[str, float] = self.traffic.metrics(duration_s) if self.traffic is not None else {}
        if self.latency is not None:
            found |= _latency_metrics(self.latency)
        if self.age is not None:
            found |= _age_metrics(self.age)
        of_predictions = (self.checks, self.contents, self.outputs)
        for part in (*of_predictions, self.classification, self.regression, self.labels, self.resources):
            if part is not None:
                found |= part.metrics()
        if self.predictions:
            found["label_coverage"] = self.label_count / self.predictions
        return {name: value for name, value in found.items() if isfinite(value)}

    def instances(self) -> dict[str, dict[str, float]]:
        """Instance -> its resource figures."""
        return self.resources.by_instance() if self.resources is not None else {}

    def data_quality(self, baseline: Baseline | None) -> dict[str, dict[str, float]]:
        if self.features is None:
            return {}
        return by_feature(self.features, self.checks, self.contents, baseline)

    def consistency(self) -> dict[str, float]:
        """Rule -> share of the rows that break it."""
        return self.checks.consistency() if self.checks is not None else {}

    def schema_changes(self, baseline: Baseline | None) -> dict[str, str]:
        """Feature -> what became of it since the baseline."""
        return schema_changes(self.features, baseline) if self.features is not None and baseline is not None else {}

    def drift(self, baseline: Baseline | None) -> dict[str, Drift]:
        """Feature -> its distances; empty unless all rows were counted against this baseline."""
        return self.features.drift(baseline) if self.features is not None and baseline is not None else {}

    def multivariate(self, baseline: Baseline | None) -> dict[str, Any]:
        """How far the relations between features are from the baseline's; empty without data for it."""
        if self.features is None or self.relations is None or baseline is None or baseline.relations is None:
            return {}
        if not self.features.binned.all_in(baseline.baseline_id, self.features.rows):
            return {}
        return self.relations.drift(baseline)

    def score_drift(self, baseline: Baseline | None) -> Drift:
        """The distances of a classification's scores, empty without data for them."""
        return self.outputs.score_drift(baseline) if self.outputs is not None and baseline is not None else {}

    def label_drift(self, baseline: Baseline | None) -> Drift:
        """The distances of the labels that became known, empty without data for them."""
        if baseline is None or self.labels is None:
            return {}
        if self.classification is None:
            return self.labels.drift(baseline)
        return baseline.of_labels.of_classes(self.classification.label_counts(self.label_count))

    def error_counts(self, baseline: Baseline | None) -> tuple[Ints, Ints] | None:
        """Rows of the window and of the baseline in the bins of the reconstruction error, None without data for it."""
        if self.relations is None or baseline is None or baseline.relations is None:
            return None
        if not self.relations.binned.all_in(baseline.baseline_id, self.relations.rows):
            return None
        return self.relations.binned.counts, np.array(baseline.relations.errors.reference())

    def score_counts(self, baseline: Baseline | None) -> tuple[Ints, Ints] | None:
        """Rows of the window and of the baseline in the bins of a classifier's scores, None without data for it."""
        if self.relations is None or baseline is None or self.error_counts(baseline) is None:
            return None
        return self.relations.score_counts(baseline)

    def prediction_drift(self, baseline: Baseline | None) -> Drift:
        """The distances of what was predicted, empty without data for it."""
        return self.outputs.drift(baseline) if self.outputs is not None and baseline is not None else {}

    def state(self) -> dict[str, Any]:
        """As JSON, without the parts that saw nothing."""
        parts = ((name, getattr(self, name)) for name in PARTS)
        state = {name: part.state() for name, part in parts if part is not None and part.seen}
        return state | {"late": self.late} if self.late else state

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Totals":
        totals = cls()
        for name, kind in PARTS.items():
            if name in state:
                setattr(totals, name, kind.from_state(state[name]))
        totals.late = state.get("late", 0)
        return totals


def merged(parts: Iterable[Totals]) -> Totals:
    """The sum of the parts, in their order."""
    whole = Totals()
    for part in parts:
        whole.merge(part)
    return whole


def _age_metrics(age: LogHistogram) -> dict[str, float]:
    figures = {"data_age_mean_s": age.mean(), "data_age_p95_s": age.quantile(0.95)}
    return {name: value for name, value in figures.items() if value is not None}


def _latency_metrics(latency: LogHistogram) -> dict[str, float]:
    figures = {f"latency_p{round(q * 100)}_ms": latency.quantile(q) for q in (0.5, 0.95, 0.99)}
    figures["latency_mean_ms"] = latency.mean()
    return {name: value for name, value in figures.items() if value is not None}

"""All statistics of one group of rows: one model version, segment and pane."""

from collections.abc import Collection, Iterable, Sequence
from math import isfinite
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from app.columns import Floats, Ints, PairColumns, PredictionColumns, ResourceColumns
from app.drift.baseline import Baseline
from app.drift.comparison import Drift
from app.estimates.losses import ExpectedLosses, PreparedLosses
from app.quality.freshness import ages, without
from app.quality.report import by_feature
from app.quality.schema import schema_changes
from app.quality.settings import QualitySettings
from app.relations.derived import derive
from app.statistics.checks import Checks, PreparedChecks
from app.statistics.classification import Classification, PreparedClassification
from app.statistics.contents import Contents, PreparedContents
from app.statistics.features import MAX_FEATURES, Features, PreparedFeatures
from app.statistics.groups import Groups, occupied
from app.statistics.histogram import Buckets, LogHistogram
from app.statistics.labels import Labels
from app.statistics.outputs import Outputs, PreparedOutputs
from app.statistics.regression import PreparedRegression, Regression
from app.statistics.relations import PreparedRelations, Relations
from app.statistics.resources import Resources
from app.statistics.sample import Sample
from app.statistics.traffic import Traffic
from app.statistics.truth import PreparedTruth


class _Part(Protocol):
    """What every accumulator is."""

    @property
    def seen(self) -> bool: ...
    def merge(self, other: Any) -> None: ...
    def state(self) -> Any: ...


P = TypeVar("P")
NO_QUALITY = QualitySettings()

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


class PreparedPredictions:
    """A chunk of predictions, worked out once; `update` then adds it for each way of grouping its rows."""

    def __init__(
        self,
        columns: PredictionColumns,
        baseline: Baseline | None,
        sample_rows: int = 0,
        max_features: int = MAX_FEATURES,
        quality: QualitySettings = NO_QUALITY,
        texts: Collection[str] = (),
    ) -> None:
        given = columns
        self.age: Buckets | None = None
        if quality.freshness is not None:
            self.age = Buckets(ages(columns, quality.freshness))
            columns = without(columns, quality.freshness)
        self.contents = PreparedContents(columns) if columns.features else None
        columns = derive(columns, texts, {} if baseline is None else baseline.features)
        self.columns = columns
        self.weights = _weights(columns.weights, columns.size)
        self.latency = Buckets(columns.latency_ms)
        self.features = PreparedFeatures(columns, baseline, max_features)
        self.checks = PreparedChecks(given, self.features.counted, quality)
        self.outputs = PreparedOutputs(columns, self.weights, baseline)
        self.relations: PreparedRelations | None = None
        if baseline is not None and baseline.relations is not None:
            self.relations = PreparedRelations(columns, baseline, self.features.counted)
        self.sample_rows = sample_rows if baseline is None else 0
        self.max_features = max_features

    def update(self, members: Sequence[Totals], groups: Ints, whole: bool = True) -> None:
        """Adds each row to the member that `groups` (n,) names, -1 for none. `whole`: whether these are groups of all
        the traffic, of which first rows are kept, and what its values are like."""
        own, index = occupied(members, groups)
        if not own:
            return
        Traffic.update(_parts(own, "traffic", Traffic), index, self.columns.failed, self.weights)
        if self.latency.width:
            LogHistogram.update(_parts(own, "latency", LogHistogram), index, self.latency)
        Features.update(_parts(own, "features", Features), index, self.features)
        Outputs.update(_parts(own, "outputs", Outputs), index, self.outputs)
        if self.relations is not None:
            Relations.update(_parts(own, "relations", Relations), index, self.relations, sample=whole)
        if self.checks.checks:
            Checks.update(_parts(own, "checks", Checks), index, self.checks)
        if self.age is not None and self.age.width:
            LogHistogram.update(_parts(own, "age", LogHistogram), index, self.age)
        if whole and self.contents is not None:
            Contents.update(_parts(own, "contents", Contents), index, self.contents)
        if whole and self.sample_rows:
            self._sample(own, index)
        for member in own:
            member.forget_surplus()

    def _sample(self, members: Sequence[Totals], groups: Groups) -> None:
        for group, member in enumerate(members):
            if member.sample is None:
                member.sample = Sample(self.sample_rows, self.max_features)
            if member.sample.rows < member.sample.limit:
                chosen = groups.index == group
                counted = self.features.counted
                member.sample.add(self.columns, chosen if counted is None else chosen & counted)


class PreparedPairs:
    """A chunk of predictions with their labels, worked out once; `update` adds it for each way of grouping.

    `positive`: the configured positive class. `signs`: (n,) -1 for a pair that is taken back, which has a negative
    weight; None where there is none. `losses`: what baselines expect of a regression's rows, with the (n,) rows that
    are counted against each, None for all. `truth`: its labels in the baselines' bins.
    """

    def __init__(
        self,
        columns: PairColumns,
        positive: str | None,
        signs: Ints | None = None,
        losses: Sequence[tuple[PreparedLosses, NDArray[np.bool_] | None]] = (),
        truth: PreparedTruth | None = None,
    ) -> None:
        weights = _weights(columns.weights, columns.size)
        self.lags = Buckets(columns.lag_ms / 1000, signs)
        self.classification: PreparedClassification | None = None
        self.regression: PreparedRegression | None = None
        self.losses = losses
        self.truth = truth
        if columns.task == "classification":
            self.classification = PreparedClassification(columns, weights, positive)
        else:
            self.regression = PreparedRegression(columns, weights)

    def update(self, members: Sequence[Totals], groups: Ints) -> None:
        """Adds each row to the member that `groups` (n,) names, -1 for none."""
        own, index = occupied(members, groups)
        if not own:
            return
        labels = _parts(own, "labels", Labels)
        Labels.update(labels, index, self.lags)
        if self.truth is not None:
            Labels.bin(labels, index, self.truth)
        if self.classification is not None:
            Classification.update(_parts(own, "classification", Classification), index, self.classification)
        if self.regression is not None:
            regressions = _parts(own, "regression", Regression)
            Regression.update(regressions, index, self.regression)
            for losses, chosen in self.losses:
                rows = index if chosen is None else index.only(chosen)
                ExpectedLosses.update([member.losses for member in regressions], rows, losses)


def update_predictions(
    members: Sequence[Totals], groups: Ints, columns: PredictionColumns, baseline: Baseline | None, sample_rows: int
) -> None:
    """Adds a chunk of predictions that is grouped in one way only."""
    PreparedPredictions(columns, baseline, sample_rows).update(members, groups)


def update_pairs(members: Sequence[Totals], groups: Ints, columns: PairColumns, positive: str | None) -> None:
    """Adds a chunk of pairs that is grouped in one way only."""
    PreparedPairs(columns, positive).update(members, groups)


def count_corrected(members: Sequence[Totals], groups: Ints) -> None:
    """Counts each row as a label that corrected another."""
    own, index = occupied(members, groups)
    if own:
        Labels.correct(_parts(own, "labels", Labels), index)


def update_resources(members: Sequence[Totals], groups: Ints, columns: ResourceColumns) -> None:
    """Adds a chunk of resource readings."""
    own, index = occupied(members, groups)
    if own:
        Resources.update(_parts(own, "resources", Resources), index, columns)


def merged(parts: Iterable[Totals]) -> Totals:
    """The sum of the parts, in their order."""
    whole = Totals()
    for part in parts:
        whole.merge(part)
    return whole


def _parts(members: Sequence[Totals], name: str, kind: type[P]) -> list[P]:
    found = [getattr(member, name) for member in members]
    for place, part in enumerate(found):
        if part is None:
            found[place] = kind()
            setattr(members[place], name, found[place])
    return found


def _weights(weights: Floats | None, size: int) -> Floats:
    return np.ones(size) if weights is None else weights


def _age_metrics(age: LogHistogram) -> dict[str, float]:
    figures = {"data_age_mean_s": age.mean(), "data_age_p95_s": age.quantile(0.95)}
    return {name: value for name, value in figures.items() if value is not None}


def _latency_metrics(latency: LogHistogram) -> dict[str, float]:
    figures = {f"latency_p{round(q * 100)}_ms": latency.quantile(q) for q in (0.5, 0.95, 0.99)}
    figures["latency_mean_ms"] = latency.mean()
    return {name: value for name, value in figures.items() if value is not None}

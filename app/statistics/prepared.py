"""Chunks of columns, worked out once, and added to the totals of each group of their rows."""

from collections.abc import Collection, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import Floats, Ints, PairColumns, PredictionColumns, ResourceColumns
from app.drift.baseline import Baseline
from app.estimates.losses import ExpectedLosses, PreparedLosses
from app.quality.freshness import ages, without
from app.quality.settings import QualitySettings
from app.relations.derived import derive
from app.statistics.checks import Checks, PreparedChecks
from app.statistics.classification import Classification
from app.statistics.contents import Contents, PreparedContents
from app.statistics.features import MAX_FEATURES, Features, PreparedFeatures
from app.statistics.groups import Groups, occupied
from app.statistics.histogram import Buckets, LogHistogram
from app.statistics.labels import Labels
from app.statistics.outputs import Outputs, PreparedOutputs
from app.statistics.prepared_classification import PreparedClassification
from app.statistics.regression import PreparedRegression, Regression
from app.statistics.relations import PreparedRelations, Relations
from app.statistics.resources import Resources
from app.statistics.sample import Sample
from app.statistics.totals import Totals
from app.statistics.traffic import Traffic
from app.statistics.truth import PreparedTruth

P = TypeVar("P")
NO_QUALITY = QualitySettings()


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


def _parts(members: Sequence[Totals], name: str, kind: type[P]) -> list[P]:
    found = [getattr(member, name) for member in members]
    for place, part in enumerate(found):
        if part is None:
            found[place] = kind()
            setattr(members[place], name, found[place])
    return found


def _weights(weights: Floats | None, size: int) -> Floats:
    return np.ones(size) if weights is None else weights

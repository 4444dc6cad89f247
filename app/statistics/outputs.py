"""What a model says: the distribution of its predictions, and how sure it is of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from app.decoding.columns import Floats, Ints, PredictionColumns
from app.drift.baseline import Baseline
from app.drift.comparison import Drift
from app.drift.distribution import Distribution
from app.estimates.cells import UNKNOWN_KINDS, PreparedCells, ScoreCells
from app.estimates.losses import ExpectedLosses, PreparedLosses
from app.statistics.binned import Binned
from app.statistics.classes import MAX_CLASSES, OTHER, ClassProbabilities, class_codes
from app.statistics.groups import Groups, first_come

SCORE_BINS = 20


class Outputs:
    """Predictions by class, the scores' distribution, and the confidence in what was predicted.

    `classes`: counts, at most 200 classes in the order of their coming, the rest is "(other)". `scores`: (20,) counts
    over [0, 1] of the probability of the last class (two classes) or of the predicted one (more). `sums`: weight of
    the rows whose predicted class has a probability, and that probability weighted. `cells`: these rows by prediction
    and probability. `numbers`: rows with a predicted number, or with a score that the baseline has bins for; `binned`:
    these in its bins; `losses`: what it expects of a regression's numbers.
    """

    __slots__ = ("binned", "cells", "classes", "losses", "numbers", "scores", "sums")

    def __init__(self) -> None:
        self.classes: dict[str, int] = {}
        self.scores: Ints = np.zeros(SCORE_BINS, np.int64)
        self.sums: Floats = np.zeros(2)
        self.cells = ScoreCells(UNKNOWN_KINDS)
        self.numbers = 0
        self.binned = Binned()
        self.losses = ExpectedLosses()

    @staticmethod
    def update(members: Sequence["Outputs"], groups: Groups, prepared: "PreparedOutputs") -> None:
        if prepared.names:
            _count_classes(members, groups, prepared)
        if prepared.confidence is not None:
            for member, scores in zip(members, groups.count(prepared.scores, SCORE_BINS + 1), strict=True):
                member.scores += scores[:SCORE_BINS]
            groups.carry([member.sums for member in members], prepared.confidence)
            ScoreCells.update([member.cells for member in members], groups, prepared.cells)
        if prepared.present is not None:
            _count_numbers(members, groups, prepared)
        if prepared.losses is not None:
            ExpectedLosses.update([member.losses for member in members], groups, prepared.losses)

    def count_class(self, name: str, count: int) -> None:
        if name not in self.classes and len(self.classes) >= MAX_CLASSES:
            name = OTHER
        self.classes[name] = self.classes.get(name, 0) + count

    @property
    def seen(self) -> bool:
        return bool(self.classes or self.numbers or self.scores.any())

    def merge(self, other: "Outputs") -> None:
        for name, count in sorted(other.classes.items()):
            self.count_class(name, count)
        self.scores += other.scores
        self.sums += other.sums
        self.cells.merge(other.cells)
        self.numbers += other.numbers
        self.binned.merge(other.binned)
        self.losses.merge(other.losses)

    def metrics(self) -> dict[str, float]:
        weight, sure = self.sums.tolist()
        return {"estimated_accuracy": sure / weight} if weight > 0 else {}

    def drift(self, baseline: Baseline) -> Drift:
        """The distances of the predictions from the baseline's, empty without data for it."""
        if self.classes:
            return baseline.of_predictions.of_classes(self.classes)
        if self.binned.all_in(baseline.baseline_id, self.numbers):
            return baseline.of_predictions.of_numbers(self.binned.counts)
        return {}

    def score_drift(self, baseline: Baseline) -> Drift:
        """The distances of a classification's scores from the baseline's; empty unless all were counted against it."""
        if self.classes and self.binned.all_in(baseline.baseline_id, self.numbers):
            return baseline.of_scores.of_numbers(self.binned.counts)
        return {}

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = {}
        if self.classes:
            state["classes"] = dict(sorted(self.classes.items()))
        if self.sums[0] or self.scores.any():
            state["scores"], state["sums"] = self.scores.tolist(), self.sums.tolist()
        if self.cells.seen:
            state["cells"] = self.cells.state()
        if self.numbers:
            state["numbers"] = self.numbers
        if self.binned.baseline_id is not None:
            state["binned"] = self.binned.state()
        if self.losses.seen:
            state["losses"] = self.losses.state()
        return state

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Outputs":
        own = cls()
        own.classes = dict(state.get("classes", {}))
        if "scores" in state:
            own.scores[:], own.sums[:] = state["scores"], state["sums"]
        own.cells = ScoreCells.from_state(state["cells"], UNKNOWN_KINDS) if "cells" in state else own.cells
        own.numbers = state.get("numbers", 0)
        own.binned = Binned.from_state(state["binned"]) if "binned" in state else own.binned
        own.losses = ExpectedLosses.from_state(state["losses"]) if "losses" in state else own.losses
        return own


class PreparedOutputs:
    """What a chunk's predictions say, worked out once for all groupings.

    `names`, `codes`: the classes, and (n,) each row's, -1 for none. `confidence`: what each row adds to the two sums.
    `present`: (n,) rows with a predicted number, or whose scores are in bins; `bins`: (n,) in the baseline's.
    """

    __slots__ = ("baseline_id", "bins", "cells", "codes", "confidence", "losses", "names", "present", "scores", "width")

    def __init__(self, columns: PredictionColumns, weights: Floats, baseline: Baseline | None) -> None:
        self.names: list[str] = []
        self.confidence: list[Floats] | None = None
        self.present: Ints | None = None
        self.baseline_id: str | None = None
        self.losses: PreparedLosses | None = None
        if columns.task == "classification":
            self.names, self.codes = class_codes(columns.predicted)
            if columns.probabilities is not None:
                self._add_probabilities(ClassProbabilities(columns.probabilities), weights, columns.weights, baseline)
        else:
            self.present = (~np.isnan(columns.values)).astype(np.int64)
            if baseline is not None:
                self._bin(columns.values, baseline.baseline_id, baseline.of_predictions)
            self.losses = expected_losses(baseline, columns, weights)

    def _bin(self, values: Floats, baseline_id: str, distribution: Distribution) -> None:
        """Finds the bins of numbers, NaN where missing, if the baseline has any."""
        if distribution.bins is not None:
            missing = np.isnan(values)
            self.present = (~missing).astype(np.int64)
            self.width, self.baseline_id = distribution.bins.width, baseline_id
            self.bins: Ints = np.where(missing, self.width, distribution.bins.bins(values))

    def _add_probabilities(
        self, given: ClassProbabilities, weights: Floats, as_sent: Floats | None, baseline: Baseline | None
    ) -> None:
        predicted = given.column_of(self.names, self.codes)
        of_predicted = given.at(predicted)
        told = ~np.isnan(of_predicted)
        self.cells = PreparedCells(given, predicted, None, told, as_sent)
        self.confidence = [np.where(told, weights, 0.0), np.where(told, weights * of_predicted, 0.0)]
        scores = given.scores(predicted)
        if baseline is not None:
            self._bin(scores, baseline.baseline_id, baseline.of_scores)
        bins = np.minimum(np.nan_to_num(scores) * SCORE_BINS, SCORE_BINS - 1).astype(np.int64)
        self.scores: Ints = np.where(np.isnan(scores), SCORE_BINS, bins)


def expected_losses(
    baseline: Baseline | None, columns: PredictionColumns, weights: Floats, truth: Floats | None = None
) -> PreparedLosses | None:
    """What a baseline that is labelled expects of a regression's rows. `truth`: (n,) where it is known."""
    if baseline is None or baseline.performance is None or baseline.performance.trees is None:
        return None
    trees = baseline.performance.trees
    return PreparedLosses(trees, baseline.baseline_id, columns.features, columns.values, weights, truth)


def _count_classes(members: Sequence[Outputs], groups: Groups, prepared: PreparedOutputs) -> None:
    counts = groups.count(prepared.codes + 1, len(prepared.names) + 1)[:, 1:]
    for group, (member, row) in enumerate(zip(members, counts, strict=True)):
        codes = np.flatnonzero(row).tolist()
        if len(member.classes) + len(codes) > MAX_CLASSES:
            codes = first_come(np.where(groups.index == group, prepared.codes, -1))
        for code in codes:
            member.count_class(prepared.names[code], int(row[code]))


def _count_numbers(members: Sequence[Outputs], groups: Groups, prepared: PreparedOutputs) -> None:
    assert prepared.present is not None
    present = groups.count(prepared.present, 2)[:, 1].tolist()
    for member, rows in zip(members, present, strict=True):
        member.numbers += rows
    if prepared.baseline_id is not None:
        counts = groups.count(prepared.bins, prepared.width + 1)[:, : prepared.width]
        for member, rows, row in zip(members, present, counts, strict=True):
            member.binned.add(prepared.baseline_id, rows, row)

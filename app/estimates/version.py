"""The estimates of one model version: what its windows would turn out to be, how far off that was, what moved it."""

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any

from app.drift.baseline import Baseline
from app.estimates.cells import ScoreCells
from app.estimates.expected import Estimate, expected, expected_accuracy
from app.estimates.impact import feature_parts, ranked, segment_parts
from app.estimates.loss_truth import LossTruth
from app.estimates.losses import ExpectedLosses
from app.estimates.truth import Truth
from app.estimates.usual import Mean, Usual, estimated, realised
from app.segments import EVERYTHING
from app.statistics.totals import Totals
from app.windowing.windows import Window

# A window of fewer rows says nothing of a change.
FEWEST_ROWS = 50


class VersionEstimates:
    """`classes`, `losses`: what is known of a classifier's probabilities and of a regression's expected losses.

    `realised`, `estimated`: the usual losses. `baseline_id`: of the labelled baseline that they are of, if any.
    `positive`: the configured positive class.
    """

    def __init__(self, positive: str | None, state: Mapping[str, Any] | None = None) -> None:
        state = state or {}
        self.positive = positive
        self.classes = Truth(state.get("classes"))
        self.losses = LossTruth(state.get("losses"))
        self.realised = Usual(state.get("realised"))
        self.estimated = Usual(state.get("estimated"))
        self.baseline_id: str | None = state.get("baseline_id")

    def state(self) -> dict[str, Any]:
        return {
            "baseline_id": self.baseline_id,
            "classes": self.classes.state(),
            "losses": self.losses.state(),
            "realised": self.realised.state(),
            "estimated": self.estimated.state(),
        }

    @property
    def error(self) -> float | None:
        """Realised less estimated figure over the newest labels; None before there were enough."""
        return self.classes.error if self.classes.error is not None else self.losses.error

    @property
    def trusted(self) -> bool:
        return self.classes.trusted or self.losses.trusted

    def begin(self, baseline: Baseline) -> None:
        """The newest rows were counted against `baseline`: one with labels says what to expect."""
        reference = baseline.performance
        if reference is None or self.baseline_id == baseline.baseline_id:
            return
        self.baseline_id = baseline.baseline_id
        self.realised, self.estimated = Usual.of(reference), Usual.of(reference)
        if reference.outcomes is not None:
            self.classes.begin(baseline.baseline_id, reference.outcomes)
        if reference.trees is not None:
            self.losses.begin(baseline.baseline_id)

    def metrics(self, totals: Totals) -> dict[str, float]:
        """The estimated figures, each with its interval; empty where nothing can be estimated.

        `estimated_accuracy` itself is what the probabilities promise as they came, by the exact sums in the totals,
        unless a labelled baseline says how to take them: what only the stream's labels have taught has its own name.
        """
        found: dict[str, float] = {}
        if totals.outputs is not None:
            found = _named(self._expected(totals.outputs.cells))
            if self.baseline_id is None and "estimated_accuracy" in found:
                found["estimated_accuracy_calibrated"] = found.pop("estimated_accuracy")
            if not self._calibrated(totals.outputs.cells):
                found.pop("estimated_accuracy", None)
                found.pop("estimated_accuracy_calibrated", None)
            found |= self._losses(totals.outputs.losses)
        if totals.classification is not None and self.baseline_id is not None:
            labelled = self._accuracy(totals.classification.cells)
            found |= {"estimated_accuracy_of_labelled": labelled} if labelled is not None else {}
        return found

    def learn(self, windows: Sequence[Window]) -> None:
        """Takes in windows with the same end: what is usual, as long as that is open, and the truth of all traffic."""
        if not self.realised.complete:
            self.realised.learn([(one.segment, one.totals, realised(one.totals)) for one in windows])
        if not self.estimated.complete:
            self.estimated.learn([(one.segment, one.totals, self._estimated(one.totals)) for one in windows])
        for totals in [window.totals for window in windows if window.segment == EVERYTHING]:
            if totals.classification is not None:
                self.classes.learn(totals.classification.cells)
            if totals.regression is not None:
                self.losses.learn(totals.regression.losses)

    def impact(self, windows: Sequence[Window], baseline: Baseline | None) -> dict[str, Any] | None:
        """By how much all traffic has moved from what is usual, and what carries it; None where that is not known.

        `windows`: of the same kind and time, all traffic and its segments. `baseline`: that of their rows.
        """
        whole = next(window.totals for window in windows if window.segment == EVERYTHING)
        regression = whole.regression is not None or (whole.outputs is not None and whole.outputs.losses.seen)
        sign = 1.0 if regression else -1.0
        moved: dict[str, Any] = {}
        for name, usual, mean_of in (
            ("realised", self.realised, realised),
            ("estimated", self.estimated, self._estimated),
        ):
            now = _means(windows, mean_of)
            if usual.complete and EVERYTHING in now and now[EVERYTHING].rows >= FEWEST_ROWS:
                way = now[EVERYTHING].loss - usual.means[EVERYTHING].loss
                moved[name] = sign * way
                if "segments" not in moved and len(usual.means) > 1:
                    moved["segments"] = ranked(segment_parts(now, usual.means), way, sign, "segment")
        if not moved:
            return None
        if baseline is not None and whole.features is not None:
            # Features are of the predictions, and so is the estimate.
            way = sign * (moved["estimated"] if "estimated" in moved else moved["realised"])
            moved["features"] = ranked(feature_parts(baseline, whole.features), way, sign, "feature")
        carried = {name: value for name, value in moved.items() if value != []}
        return {"metric": "mae" if regression else "accuracy"} | carried

    def _estimated(self, totals: Totals) -> Mean | None:
        if totals.outputs is None:
            return None
        accuracy = self._accuracy(totals.outputs.cells)
        own = {} if accuracy is None else {"estimated_accuracy": accuracy}
        return estimated(totals, totals.outputs.metrics() | own | self._losses(totals.outputs.losses))

    def _losses(self, losses: ExpectedLosses) -> dict[str, float]:
        known = losses.baseline_id is not None and losses.baseline_id == self.losses.baseline_id
        return losses.metrics(self.losses.factor if known else 1.0)

    def _accuracy(self, cells: ScoreCells) -> float | None:
        """As calibrated probabilities promise it; None where they are taken as they came."""
        if cells.layout is None or not self._calibrated(cells):
            return None
        estimate = expected_accuracy(cells, self.classes.calibrations(cells.layout))
        return None if estimate is None else estimate.value

    def _expected(self, cells: ScoreCells) -> dict[str, Estimate]:
        if cells.layout is None:
            return {}
        return expected(cells, self.classes.calibrations(cells.layout), self.positive)

    def _calibrated(self, cells: ScoreCells) -> bool:
        if cells.layout is None:
            return False
        return any(own.method != "none" for own in self.classes.calibrations(cells.layout))


def _means(windows: Sequence[Window], mean_of: Callable[[Totals], Mean | None]) -> dict[Any, Mean]:
    found = {window.segment: mean_of(window.totals) for window in windows}
    return {segment: mean for segment, mean in found.items() if mean is not None}


def _named(estimates: Mapping[str, Estimate]) -> dict[str, float]:
    found = {}
    for name, estimate in estimates.items():
        found[f"estimated_{name}"] = estimate.value
        if isfinite(estimate.variance):
            low, high = estimate.interval()
            found |= {f"estimated_{name}_low": low, f"estimated_{name}_high": high}
    return found

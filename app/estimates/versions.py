"""The estimates of one model: what each version's windows would turn out to be, and how far off that has been."""

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any, NamedTuple

from app.drift.baseline import Baseline
from app.estimates.cells import ScoreCells
from app.estimates.expected import Estimate, expected
from app.estimates.loss_truth import LossTruth
from app.estimates.truth import Truth
from app.segments import EVERYTHING, Segment
from app.statistics.totals import Totals
from app.windows import Window

# Versions that were asked last are remembered; a model with more at a time learns anew.
MOST_VERSIONS = 20


class _Version(NamedTuple):
    classes: Truth
    losses: LossTruth

    @property
    def error(self) -> float | None:
        return self.classes.error if self.classes.error is not None else self.losses.error


class Estimates:
    """`positive`: the configured positive class. `state`: as `state()` gave it."""

    def __init__(self, positive: str | None, state: Mapping[str, Any] | None = None) -> None:
        self.positive = positive
        self._versions = {
            version: _Version(Truth(own.get("classes")), LossTruth(own.get("losses")))
            for version, own in (state or {}).items()
        }

    def state(self) -> dict[str, Any]:
        return {
            version: {"classes": own.classes.state(), "losses": own.losses.state()}
            for version, own in self._versions.items()
        }

    def begin(self, version: str, baseline: Baseline | None) -> None:
        """The newest rows were counted against `baseline`: one with labels says what to expect."""
        if baseline is None or (reference := baseline.performance) is None:
            return
        if reference.outcomes is not None:
            self._kept(version).classes.begin(baseline.baseline_id, reference.outcomes)
        if reference.trees is not None:
            self._kept(version).losses.begin(baseline.baseline_id)

    def metrics(self, version: str, segment: Segment, totals: Totals) -> dict[str, float]:
        """The estimated figures of a window, each with its interval; empty where nothing can be estimated.

        Where probabilities are taken as they came, the accuracy is left to the exact sums in the totals.
        """
        known = self._versions.get(version) or _Version(Truth(), LossTruth())
        found: dict[str, float] = {}
        if totals.outputs is not None:
            cells, losses = totals.outputs.cells, totals.outputs.losses
            found = _named(self._expected(known.classes, cells))
            if not _calibrated(known.classes, cells):
                found.pop("estimated_accuracy", None)
            if losses.baseline_id is not None:
                found |= losses.metrics(known.losses.factor if losses.baseline_id == known.losses.baseline_id else 1.0)
        if totals.classification is not None and _calibrated(known.classes, totals.classification.cells):
            labelled = self._expected(known.classes, totals.classification.cells)
            found |= {"estimated_accuracy_of_labelled": labelled["accuracy"].value} if labelled else {}
        if segment == EVERYTHING and known.error is not None:
            found["estimate_error"] = known.error
        return found

    def learn(self, windows: Iterable[Window], length_ms: int) -> None:
        """Takes in the truth that became known in windows. The tumbling ones of this length have each pair once."""
        for window in windows:
            if window.kind == "tumbling" and window.end - window.start == length_ms and window.segment == EVERYTHING:
                pairs, regression = window.totals.classification, window.totals.regression
                if pairs is not None and pairs.cells.seen:
                    self._kept(window.version).classes.learn(pairs.cells)
                if regression is not None and regression.losses.seen:
                    self._kept(window.version).losses.learn(regression.losses)

    def trusted(self, version: str) -> bool:
        """Whether the version's estimates may raise alerts by themselves."""
        known = self._versions.get(version)
        return known is not None and (known.classes.trusted or known.losses.trusted)

    def _kept(self, version: str) -> _Version:
        own = self._versions.pop(version, None) or _Version(Truth(), LossTruth())
        self._versions[version] = own
        while len(self._versions) > MOST_VERSIONS:
            del self._versions[next(iter(self._versions))]
        return own

    def _expected(self, truth: Truth, cells: ScoreCells) -> dict[str, Estimate]:
        return expected(cells, truth.calibrations(cells.layout), self.positive) if cells.layout is not None else {}


def _calibrated(truth: Truth, cells: ScoreCells) -> bool:
    if cells.layout is None:
        return False
    return any(calibration.method != "none" for calibration in truth.calibrations(cells.layout))


def _named(estimates: Mapping[str, Estimate]) -> dict[str, float]:
    found = {}
    for name, estimate in estimates.items():
        found[f"estimated_{name}"] = estimate.value
        if isfinite(estimate.variance):
            low, high = estimate.interval()
            found |= {f"estimated_{name}_low": low, f"estimated_{name}_high": high}
    return found

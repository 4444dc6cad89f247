"""The estimates of one model: what each version's windows would turn out to be, and how far off that has been."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from app.drift.baseline import Baseline
from app.estimates.cells import ScoreCells
from app.estimates.expected import Estimate, expected
from app.estimates.truth import Truth
from app.statistics.totals import Totals

# Versions that were asked last are remembered; a model with more at a time learns anew.
MOST_VERSIONS = 20


class Estimates:
    """`positive`: the configured positive class. `state`: as `state()` gave it."""

    def __init__(self, positive: str | None, state: Mapping[str, Any] | None = None) -> None:
        self.positive = positive
        self._truths = {version: Truth(own) for version, own in (state or {}).items()}

    def state(self) -> dict[str, Any]:
        return {version: truth.state() for version, truth in self._truths.items()}

    def begin(self, version: str, baseline: Baseline | None) -> None:
        """The newest rows were counted against `baseline`: one with labels says what probabilities are worth."""
        reference = baseline.performance if baseline is not None else None
        if baseline is not None and reference is not None and reference.outcomes is not None:
            self._kept(version).begin(baseline.baseline_id, reference.outcomes)

    def metrics(self, version: str, totals: Totals) -> dict[str, float]:
        """The estimated figures of a window, each with its interval; empty where nothing can be estimated.

        Where probabilities are taken as they came, the accuracy is left to the exact sums in the totals.
        """
        truth = self._truths.get(version) or Truth()
        found: dict[str, float] = {}
        if totals.outputs is not None:
            found = _named(self._expected(truth, totals.outputs.cells))
        if totals.classification is not None:
            cells = totals.classification.cells
            if (of_labelled := self._expected(truth, cells).get("accuracy")) is not None and _calibrated(truth, cells):
                found["estimated_accuracy_of_labelled"] = of_labelled.value
        if totals.outputs is not None and not _calibrated(truth, totals.outputs.cells):
            found.pop("estimated_accuracy", None)
        return found

    def learn(self, version: str, totals: Totals) -> None:
        """Takes in the truth that became known in a window; each pair once, in the order of time."""
        if totals.classification is not None and totals.classification.cells.seen:
            self._kept(version).learn(totals.classification.cells)

    def error(self, version: str) -> float | None:
        """Realised less estimated accuracy over the same rows, the newest ones; None before there were enough."""
        return self._truths[version].error if version in self._truths else None

    def trusted(self, version: str) -> bool:
        """Whether the version's estimates may raise alerts by themselves."""
        return version in self._truths and self._truths[version].trusted

    def _kept(self, version: str) -> Truth:
        truth = self._truths.pop(version, None) or Truth()
        self._truths[version] = truth
        while len(self._truths) > MOST_VERSIONS:
            del self._truths[next(iter(self._truths))]
        return truth

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

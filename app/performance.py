"""Realised performance against what was usual: a drop below the reference, or a rise of errors that ADWIN finds."""

from collections.abc import Callable
from math import inf, log, sqrt
from typing import Any, NamedTuple

from app.defaults import PSI, sigmas_needed
from app.drift.detectors import ErrorRateDetector
from app.rules import HEALTHY_ERROR_RATE, Reading, Verdict

# The reference is what the first healthy labels said.
REFERENCE_LABELS = 1000
# Smaller windows are put together until they have so many labels.
FEWEST_LABELS = 50
# A drop of so many points is tolerated, and a root mean squared error so many times the usual one.
TOLERANCE = 0.02
TOLERANCE_RATIO = 1.1
CRITICAL_DROP = 0.15
CRITICAL_RATIO = 2.0
# The logarithm of the root mean of n squared normal errors has a standard deviation of 1 / sqrt(2 n); real errors have
# heavier tails.
TAILS = 2.0
MOST_NAMED = 5


class Comparison(NamedTuple):
    """Losses (more is worse) against the usual one, and how people are told: `value`, `threshold`, `usual_value`."""

    metric: str
    loss: float
    bound: float
    sigmas: float
    critical: bool
    value: float
    threshold: float
    usual_value: float


def compare_accuracy(loss: float, usual: float, rows: float, usual_rows: float) -> Comparison:
    """Error rates of `rows` and of `usual_rows` labels: the difference of two proportions, less the tolerance."""
    bound = usual + TOLERANCE
    share = (loss * rows + usual * usual_rows) / (rows + usual_rows)
    # With no error at all the normal approximation would claim certainty.
    share = min(max(share, 1 / (rows + usual_rows)), 1 - 1 / (rows + usual_rows))
    sigmas = (loss - bound) / sqrt(share * (1 - share) * (1 / rows + 1 / usual_rows))
    return Comparison("accuracy", loss, bound, sigmas, loss - usual >= CRITICAL_DROP, 1 - loss, 1 - bound, 1 - usual)


def compare_rmse(loss: float, usual: float, rows: float, usual_rows: float) -> Comparison:
    """Mean squared errors: the logarithm of the ratio of their roots, less the tolerance."""
    value, usual_value = sqrt(loss), sqrt(usual)
    bound = TOLERANCE_RATIO * usual_value
    ratio = value / usual_value if usual_value else inf if value else 1.0
    deviation = TAILS * sqrt((1 / rows + 1 / usual_rows) / 2)
    sigmas = (log(ratio) - log(TOLERANCE_RATIO)) / deviation if ratio > 0 else -inf
    return Comparison("rmse", value, bound, min(sigmas, 1e9), ratio >= CRITICAL_RATIO, value, bound, usual_value)


Compare = Callable[[float, float, float, float], Comparison]


class PerformanceWatch:
    """Error rate, or for a regression the root mean squared error, of one version and segment.

    `reference`: labels, and the wrong ones among them (the sum of squared errors). `pool`: the same of small windows
    that wait for each other. `risen`: ADWIN found a rise that no window has shown to matter yet.
    """

    def __init__(self, detect: bool, state: dict[str, Any] | None = None) -> None:
        state = state or {}
        self.detect = detect
        self.reference: list[float] = state.get("reference", [0, 0.0])
        self.pool: list[float] = state.get("pool", [0, 0.0])
        self.risen: bool = state.get("risen", False)
        self._detector = ErrorRateDetector.from_state(state["detector"]) if "detector" in state else None

    def state(self) -> dict[str, Any]:
        known = {"reference": self.reference, "pool": self.pool, "risen": self.risen}
        return known | ({"detector": self._detector.state()} if self._detector is not None else {})

    def judge(self, reading: Reading) -> Verdict | None:
        """The verdict on the labels since the last one; None while there are too few, or nothing to compare with."""
        accuracy, rmse = reading.metrics.get("accuracy"), reading.metrics.get("rmse")
        if accuracy is not None:
            self._detect(reading.labels, 1 - accuracy)
            return self._pooled(reading, 1 - accuracy, compare_accuracy)
        return self._pooled(reading, rmse**2, compare_rmse) if rmse is not None else None

    def _detect(self, labels: int, error_rate: float) -> None:
        if self.detect:
            if self._detector is None:
                self._detector = ErrorRateDetector()
            self._detector.update(labels, labels * error_rate)
            self.risen = self.risen or self._detector.drift_detected

    def _pooled(self, reading: Reading, mean_loss: float, compare: Compare) -> Verdict | None:
        self.pool = [self.pool[0] + reading.labels, self.pool[1] + reading.labels * mean_loss]
        if self.pool[0] < FEWEST_LABELS:
            return None
        pool, self.pool = self.pool, [0, 0.0]
        known = self.reference[0] >= REFERENCE_LABELS or (self.risen and self.reference[0] >= FEWEST_LABELS)
        if known:
            return self._verdict(reading, pool, compare)
        if reading.metrics.get("error_rate", 0.0) <= HEALTHY_ERROR_RATE:
            self.reference = [self.reference[0] + pool[0], self.reference[1] + pool[1]]
        return None

    def _verdict(self, reading: Reading, pool: list[float], compare: Compare) -> Verdict:
        usual = self.reference[1] / self.reference[0]
        found = compare(pool[1] / pool[0], usual, pool[0], self.reference[0])
        beyond = found.loss > found.bound
        bad = found.sigmas >= sigmas_needed(reading) or (self.risen and beyond)
        evidence = {"reference": found.usual_value, "sigmas": round(max(found.sigmas, -1e9), 2), "adwin": self.risen}
        if bad or pool[1] / pool[0] <= usual:
            self.risen = False
        severity = "critical" if found.critical else "warning"
        return Verdict(
            bad or (None if beyond else False),
            found.value,
            found.threshold,
            severity,
            f"{found.metric} is {found.value:.4g}, usual is {found.usual_value:.4g}",
            evidence | drifted(reading),
        )


def drifted(reading: Reading) -> dict[str, Any]:
    """Evidence: the features that have drifted most in the same window."""
    found = {feature: own["psi"] for feature, own in reading.drift.items() if own.get("psi", 0.0) > PSI}
    named = sorted(found, key=lambda feature: (-found[feature], feature))[:MOST_NAMED]
    return {"drifted_features": named} if named else {}

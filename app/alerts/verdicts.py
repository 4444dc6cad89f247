"""What a case says to people: the figure, its bound, how grave it is, and what stands behind it."""

from collections.abc import Callable
from typing import Any

from app.alerts.defaults import CRITICAL_DROP, CRITICAL_ERROR_RATE, CRITICAL_LARGE_ERRORS, HARMLESS, PSI
from app.alerts.evidence import MOST_NAMED, Case
from app.alerts.harm import impact
from app.alerts.rules import FEWEST_ROWS, Reading, Verdict
from app.detection.betting import lower
from app.detection.bins import Moved
from app.detection.shares import Found

# Standard errors by which a figure is beyond what is critical: few rows don't make it so.
SURE = 2.0
Said = tuple[float, float, str, bool]
"""Value, bound, sentence, whether it is critical."""


def verdict(rule: str, case: Case, reading: Reading, budget_share: float) -> Verdict:
    """The verdict on a window of the rule's segment."""
    if isinstance(case.found, Moved):
        value, bound, sentence, critical = _drift(case, case.found)
        more: dict[str, Any] = {"distance": _by_name(case.names, case.found.distance.tolist())}
    else:
        value, bound, sentence, critical = _SAID.get(rule, _share)(rule, case, case.found, reading)
        more = {"usual": round(float(case.found.usual[0]), 6)} if case.found.usual[0] == case.found.usual[0] else {}
    if rule == "performance":
        more |= drifted(reading)
    if rule in ("performance", "drift"):
        more |= impact(reading)
    severity = "info" if rule in HARMLESS else "critical" if critical else "warning"
    return Verdict(case.bad, value, bound, severity, sentence, case.told(budget_share) | more)


def _performance(rule: str, case: Case, found: Found, reading: Reading) -> Said:
    usual, bound, share = (float(own[0]) for own in (found.usual, found.bound, found.share))
    surely = float(lower(found.share * found.rows, found.rows, SURE)[0])
    if "accuracy" in reading.metrics:
        value = reading.metrics["accuracy"]
        sentence = f"accuracy is {value:.4g}, usual is {1 - usual:.4g}"
        return value, 1 - bound, sentence, surely - usual >= CRITICAL_DROP
    value = reading.metrics.get("rmse", share)
    sentence = f"{share:.1%} of the errors are as large as {usual:.0%} usually are, rmse is {value:.4g}"
    return share, bound, sentence, surely >= CRITICAL_LARGE_ERRORS


def _error_rate(rule: str, case: Case, found: Found, reading: Reading) -> Said:
    value, bound = reading.metrics["error_rate"], float(found.bound[0])
    sentence = f"{value:.1%} of predictions failed, up to {bound:.1%} is usual"
    return value, bound, sentence, value > CRITICAL_ERROR_RATE and reading.predictions >= FEWEST_ROWS


def _latency(rule: str, case: Case, found: Found, reading: Reading) -> Said:
    value, bound = float(found.share[0]), float(found.bound[0])
    p99 = reading.metrics.get("latency_p99_ms", 0.0)
    sentence = f"{value:.1%} of predictions are slower than the usual p99, p99 latency is {p99:.4g} ms"
    return value, bound, sentence, False


def _coverage(rule: str, case: Case, found: Found, reading: Reading) -> Said:
    value, bound = 1 - float(found.share[0]), 1 - float(found.bound[0])
    return value, bound, f"labels came for {value:.1%} of predictions, usual is {1 - float(found.usual[0]):.1%}", False


def _share(rule: str, case: Case, found: Found, reading: Reading) -> Said:
    value, bound = float(found.share[0]), float(found.bound[0])
    what = {"missing": "missing", "unseen": "a new category", "out_of_range": "out of range"}[rule]
    return value, bound, f"{case.names[0]} is {what} in {value:.1%} of rows, up to {bound:.1%} is usual", False


def _drift(case: Case, moved: Moved) -> Said:
    share = len(case.names) / case.streams
    sentence = (
        f"{len(case.names)} of {case.streams} features have moved, {case.names[0]} most: {moved.distance[0]:.1%} of "
        f"its rows are in other bins than in the baseline, up to {moved.tolerance[0]:.1%} is tolerated"
    )
    return share, 0.0, sentence, False


def _by_name(names: list[str], values: list[float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in zip(names[:MOST_NAMED], values, strict=False)}


def drifted(reading: Reading) -> dict[str, Any]:
    """Evidence: the features that have drifted most in the same window."""
    found = {feature: own["psi"] for feature, own in reading.drift.items() if own.get("psi", 0.0) > PSI}
    named = sorted(found, key=lambda feature: (-found[feature], feature))[:MOST_NAMED]
    return {"drifted_features": named} if named else {}


_SAID: dict[str, Callable[[str, Case, Found, Reading], Said]] = {
    "performance": _performance,
    "error_rate": _error_rate,
    "latency_p99": _latency,
    "label_coverage": _coverage,
}

"""Rules that users write: a metric, a bound, and what a window says of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.detection.bins import Counted
from app.drift.rhythm import Rhythm
from app.figure_names import BY_CLASS, DATA_QUALITY, DRIFT, MULTIVARIATE
from app.segments import Segment
from app.settings import Rule
from app.statistics.histogram import LogHistogram

# Windows with fewer rows behind a figure say nothing: a share of five rows jumps by 20 points.
FEWEST_ROWS = 20
# References are made of windows, and baselines of panes, in which at most this share of predictions failed.
HEALTHY_ERROR_RATE = 0.1

CLASSIFICATION = ("accuracy", "balanced_accuracy", "log_loss", "brier", "roc_auc", "estimated_accuracy_of_labelled")
REGRESSION = ("mae", "rmse", "r2", "bias", "mape")
QUALITY = (
    "duplicate_share",
    "rule_violations",
    "incomplete_share",
    "schema_changes",
    "data_age_mean_s",
    "data_age_p95_s",
)
OF_LABELS = frozenset(("label_lag_p50_s", "label_lag_p95_s", "label_lag_mean_s"))
# Figures that mean the same however little was seen.
OF_ANY_WINDOW = frozenset(
    ("throughput_per_s", "labels_corrected", "cpu_percent", "memory_bytes", "gpu_percent", "gpu_memory_bytes")
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one final window says. Times in ms; `metrics` and the figures per feature as in the contract."""

    version: str
    segment: Segment
    start: int
    end: int
    window_id: str
    predictions: int
    labels: int
    metrics: Mapping[str, float]
    data_quality: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    drift: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    latency: LogHistogram | None = None
    missing_before: Mapping[str, float] = field(default_factory=dict)
    """Missing share of each feature in the baseline that `data_quality` was counted against."""
    feature_rows: int = 0
    """Rows that `data_quality` is of."""
    baseline_id: str | None = None
    baseline_rows: int = 0
    rhythm: Rhythm | None = None
    counted: Counted | None = None
    """All of the traffic: its rows in the bins of the baseline."""
    errors: LogHistogram | None = None
    """Of a regression: absolute errors, in hundredths."""
    estimate_trusted: bool = False
    """Whether labels have shown that the estimated figures can be relied on: only then they may raise alerts."""
    impact: Mapping[str, Any] = field(default_factory=dict)
    """Of all traffic: by how much performance has moved, and the features and segments that carry it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says of a window. `bad`: None when it is neither bad nor good enough to be over.

    `sentence`: for people, of the value and the bound. `evidence`: what stands behind it.
    """

    bad: bool | None
    value: float
    threshold: float
    severity: str
    sentence: str
    evidence: dict[str, Any] = field(default_factory=dict)


def kind_of(metric: str) -> str | None:
    """What a bad value asks retraining for: performance, drift, data_quality, or None: not for retraining."""
    if metric in (*CLASSIFICATION, *REGRESSION) or metric.split("_")[0] in BY_CLASS:
        return "performance"
    if metric in DRIFT or metric in MULTIVARIATE:
        return "drift"
    return "data_quality" if metric in DATA_QUALITY or metric in QUALITY else None


def rule_name(rule: Rule) -> str:
    """The user's name of it, else what it says: ``accuracy below 0.85``."""
    side, bound = ("above", rule.above) if rule.above is not None else ("below", rule.below)
    subject = rule.metric if rule.feature is None else f"{rule.metric} of {rule.feature}"
    return rule.name or f"{subject} {side} {bound:g}"


def judge(rule: Rule, reading: Reading) -> Verdict | None:
    """The verdict on one window of the rule's segment; None when the window can't say."""
    if not enough_rows(rule.metric, reading):
        return None
    found = _figure(rule, reading)
    if found is None:
        return None
    value, features = found
    bad, bound = _compare(rule, value)
    subject = f"{rule.metric} of {features[0]}" if len(features) == 1 else rule.metric
    relation = ("above" if rule.above is not None else "below") if bad else "within"
    evidence = {"features": features} if features else {}
    return Verdict(bad, value, bound, rule.severity, f"{subject} is {value:.4g}, {relation} {bound:g}", evidence)


def enough_rows(metric: str, reading: Reading) -> bool:
    """Whether the window has enough rows behind this metric to judge it."""
    if metric in OF_ANY_WINDOW:
        return True
    of_labels = kind_of(metric) == "performance" or metric in OF_LABELS
    return (reading.labels if of_labels else reading.predictions) >= FEWEST_ROWS


def _figure(rule: Rule, reading: Reading) -> tuple[float, list[str]] | None:
    """The value, and the features it is of: all that break the bound, else the nearest to it."""
    if rule.metric in reading.metrics:
        return reading.metrics[rule.metric], []
    figures = {
        feature: own[rule.metric]
        for feature, own in sorted(_by_feature(reading).items())
        if rule.metric in own and rule.feature in (None, feature)
    }
    if not figures:
        return None
    ordered = sorted(figures, key=lambda feature: figures[feature], reverse=rule.above is not None)
    broken = [feature for feature in ordered if _compare(rule, figures[feature])[0]]
    return figures[ordered[0]], broken or ordered[:1]


def _by_feature(reading: Reading) -> dict[str, dict[str, float]]:
    names = {*reading.data_quality, *reading.drift}
    return {name: {**reading.data_quality.get(name, {}), **reading.drift.get(name, {})} for name in names}


def _compare(rule: Rule, value: float) -> tuple[bool, float]:
    if rule.above is not None:
        return value > rule.above, rule.above
    assert rule.below is not None
    return value < rule.below, rule.below

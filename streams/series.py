"""What a worker knows of its models as samples for Prometheus, and which of them a series budget has room for."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

from app.settings import Severity
from app.snapshot import MonitorSnapshot
from app.timestamps import milliseconds
from streams.snapshot import Counted

# Of a window's `metrics`, those that have series of their own names, in base units.
_PREFIXES_OF_OTHERS = ("latency_", "label_lag_", "cpu_", "memory_", "gpu_")
_NAMED = ("accuracy", "estimated_accuracy", "label_coverage", "drift_share")
_QUANTILES = {"0.5": "p50", "0.95": "p95", "0.99": "p99"}
# In place of a feature's name. No other name is in parentheses.
OTHERS = {
    "(prediction)": "prediction_drift",
    "(score)": "score_drift",
    "(label)": "label_drift",
    "(relations)": "multivariate",
}
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")


class Sample(NamedTuple):
    """`family`: the metric's name as in the contract, without `inferwatch_`."""

    family: str
    labels: dict[str, str]
    value: float


class Rank(IntEnum):
    """What is told first: a model as a whole, its features, its segments, and the features in each of them."""

    MODEL = 0
    FEATURES = 1
    SEGMENTS = 2
    FEATURES_OF_SEGMENTS = 3


@dataclass(frozen=True, slots=True)
class Unit:
    """The samples of one rank of one version and segment: `size` of them, made when they are wanted."""

    order: tuple[Rank, str, str, str]
    size: int
    samples: Iterable[Sample]


def within(units: Iterable[Unit], budget: int) -> tuple[list[Sample], int]:
    """As many samples as the budget allows, in the units' order, and how many are left out."""
    told: list[Sample] = []
    left_out = 0
    for unit in sorted(units, key=lambda unit: unit.order):
        room = budget - len(told)
        if room > 0:
            told += [sample for sample, _ in zip(unit.samples, range(room), strict=False)]
        left_out += max(unit.size - max(room, 0), 0)
    return told, left_out


def units(counted: Counted, models: Iterable[MonitorSnapshot]) -> Iterator[Unit]:
    """Everything that is labelled by model."""
    yield from _counted(counted)
    for model in models:
        yield from _decided(model)
        for window in model.windows:
            yield from _window(window)


def segment_label(segment: Mapping[str, str]) -> str:
    """``channel=web``; all of the traffic is the empty string."""
    return ",".join(f"{name}={value}" for name, value in sorted(segment.items()))


def _unit(rank: Rank, model: str, version: str, segment: str, samples: list[Sample]) -> Unit:
    return Unit((rank, model, version, segment), len(samples), samples)


def _counted(counted: Counted) -> Iterator[Unit]:
    """What was ingested, of each version that anything came for; from 0 on, so that a first increase shows."""
    families = {
        "predictions_total": counted.predictions,
        "errors_total": counted.errors,
        "labels_total": counted.labels,
        "late_events_total": counted.late,
    }
    for model, version in sorted({key for counts in families.values() for key in counts}):
        labels = {"model": model, "version": version}
        samples = [Sample(name, labels, counts.get((model, version), 0)) for name, counts in families.items()]
        yield _unit(Rank.MODEL, model, version, "", samples)


def _decided(model: MonitorSnapshot) -> Iterator[Unit]:
    """Incidents and requests, of each version that is shown or had any; from 0 on."""
    versions = {window["version"] for window in model.windows} | {alert["version"] for alert in model.incidents}
    versions |= {version for version, _ in [*model.alerts, *model.retraining_requests]}
    for version in sorted(versions):
        labels = {"model": model.model, "version": version}
        opened = [alert["severity"] for alert in model.incidents if alert["version"] == version]
        fired = sum(count for (own, _), count in model.alerts.items() if own == version)
        samples = [Sample("incidents_open", labels | {"severity": name}, opened.count(name)) for name in SEVERITIES]
        samples.append(Sample("alerts_total", labels, fired))
        samples += [
            Sample("retraining_requests_total", labels | {"trigger": trigger}, count)
            for (own, trigger), count in sorted(model.retraining_requests.items())
            if own == version
        ]
        yield _unit(Rank.MODEL, model.model, version, "", samples)
    lost = [
        Sample("segments_left_out_total", {"model": model.model}, model.segments_left_out),
        Sample("cohorts_expired_total", {"model": model.model}, model.expired),
    ]
    yield _unit(Rank.MODEL, model.model, "", "", lost)


def _window(window: Mapping[str, Any]) -> Iterator[Unit]:
    model, version, segment = window["model"], window["version"], segment_label(window["segment"])
    labels = {"model": model, "version": version, "segment": segment}
    figures, features = (Rank.SEGMENTS, Rank.FEATURES_OF_SEGMENTS) if window["segment"] else (Rank.MODEL, Rank.FEATURES)
    yield _unit(figures, model, version, segment, list(_figures(window, labels)))
    quality, drift = _checks(window), _tests(window)
    size = sum(map(len, quality.values())) + sum(map(len, drift.values()))
    yield Unit((features, model, version, segment), size, _by_feature(quality, drift, labels))
    instances = list(_resources(window, labels))
    yield _unit(features, model, version, segment, instances)


def _figures(window: Mapping[str, Any], labels: dict[str, str]) -> Iterator[Sample]:
    metrics: Mapping[str, float] = window["metrics"]
    for name in _NAMED:
        if name in metrics:
            yield Sample(name, labels, metrics[name])
    for name in sorted(metrics):
        if not name.startswith(_PREFIXES_OF_OTHERS):
            yield Sample("metric", labels | {"name": name}, metrics[name])
    for quantile, suffix in _QUANTILES.items():
        if (latency := metrics.get(f"latency_{suffix}_ms")) is not None:
            yield Sample("prediction_latency_seconds", labels | {"quantile": quantile}, latency / 1000)
        if (lag := metrics.get(f"label_lag_{suffix}_s")) is not None:
            yield Sample("label_lag_seconds", labels | {"quantile": quantile}, lag)
    yield Sample("window_end_seconds", labels, milliseconds(window["end"]) / 1000)


def _checks(window: Mapping[str, Any]) -> dict[str, Mapping[str, float]]:
    """Feature, or consistency rule, -> its figures."""
    found: dict[str, Mapping[str, float]] = dict(window["data_quality"])
    for rule, share in window.get("consistency", {}).items():
        found[rule] = {**found.get(rule, {}), "violations": share}
    return found


def _tests(window: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Feature -> its drift scores, without the verdict that stands beside them."""
    found = {**window["drift"], **{name: window.get(place, {}) for name, place in OTHERS.items()}}
    return {name: {test: own[test] for test in own if test != "drifted"} for name, own in found.items()}


def _by_feature(
    quality: Mapping[str, Mapping[str, float]], drift: Mapping[str, Mapping[str, float]], labels: dict[str, str]
) -> Iterator[Sample]:
    for feature in sorted({*quality, *drift}):
        own = labels | {"feature": feature}
        for check, value in quality.get(feature, {}).items():
            yield Sample("data_quality", own | {"check": check}, value)
        for test, value in drift.get(feature, {}).items():
            yield Sample("drift_score", own | {"test": test}, value)


def _resources(window: Mapping[str, Any], labels: dict[str, str]) -> Iterator[Sample]:
    for instance, figures in window.get("resources", {}).items():
        for name, value in figures.items():
            yield Sample("resource_usage", labels | {"instance": instance, "resource": name}, value)

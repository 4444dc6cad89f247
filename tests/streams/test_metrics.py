"""`/metrics` says what the snapshot says, under the contract's names, and keeps the series budget."""

import logging
import subprocess
from collections.abc import Mapping
from typing import Any

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from app.alerts.stalled import Stalled
from app.snapshot import MonitorSnapshot
from streams.counters import BUCKETS_S, Durations
from streams.metrics import HELP, WorkerCollector, registry_of
from streams.series import segment_label
from streams.snapshot import Counted, Histogram, PartitionState, WorkerSnapshot

METRICS = {
    "drift_share": 0.5,
    "accuracy": 0.91,
    "f1": 0.88,
    "error_rate": 0.01,
    "estimated_accuracy": 0.9,
    "label_coverage": 0.75,
    "latency_p50_ms": 8.0,
    "latency_p95_ms": 20.0,
    "latency_p99_ms": 44.0,
    "latency_mean_ms": 9.0,
    "label_lag_p50_s": 12.0,
    "label_lag_p95_s": 40.0,
    "label_lag_mean_s": 15.0,
}


def window(model: str = "credit", version: str = "3", segment: Mapping[str, str] | None = None, **more: Any) -> Any:
    return {
        "model": model,
        "version": version,
        "segment": segment or {},
        "end": "2026-11-20T12:01:00.000Z",
        "metrics": METRICS,
        "data_quality": {"income": {"missing": 0.01, "type_errors": 0}, "region": {"missing": 0.0, "unseen": 0.2}},
        "drift": {"income": {"psi": 0.4, "drifted": True}, "region": {"psi": 0.01, "drifted": False}},
        **more,
    }


def monitored(*windows: Any, model: str = "credit", **more: Any) -> MonitorSnapshot:
    empty: dict[str, Any] = {
        "incidents": (),
        "alerts": {},
        "retraining_requests": {},
        "segments_left_out": 0,
        "expired": 0,
    }
    return MonitorSnapshot(model=model, windows=windows, **{**empty, **more})


def snapshot(*models: MonitorSnapshot, **more: Any) -> WorkerSnapshot:
    return WorkerSnapshot(taken_s=0.0, models=models, **more)


class Scraped:
    """A worker's collector whose snapshot can be changed, scraped as Prometheus does."""

    def __init__(self, newest: WorkerSnapshot, budget: int = 10_000) -> None:
        self.newest = newest
        self.collector = WorkerCollector(lambda: self.newest, budget)
        self.registry = registry_of(self.collector)

    def text(self) -> str:
        return generate_latest(self.registry).decode()

    def series(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(self.text())
            for sample in family.samples
            if sample.name.startswith("inferwatch_")
        }

    def of_models(self) -> set[tuple[str, frozenset[tuple[str, str]]]]:
        return {(name, labels) for name, labels in self.series() if "model" in dict(labels)}

    def value(self, name: str, /, **labels: str) -> float | None:
        return self.series().get((f"inferwatch_{name}", frozenset(labels.items())))


EVERYTHING = snapshot(
    monitored(
        window(
            prediction_drift={"psi": 0.05},
            resources={"pod-1": {"cpu_percent": 40.0, "memory_bytes": 1e9}},
        ),
        window(segment={"channel": "web"}),
        incidents=(
            {"version": "3", "severity": "critical", "segment": {}},
            {"version": "3", "severity": "critical", "segment": {"channel": "web"}},
        ),
        alerts={("3", "critical"): 2, ("3", "info"): 1},
        retraining_requests={("3", "drift"): 1},
    ),
    counted=Counted(
        predictions={("credit", "3"): 1000},
        errors={("credit", "3"): 10},
        labels={("credit", "3"): 750},
        late={("credit", "3"): 5},
        dead_letters={"json": 2},
        misrouted={"labels": 0},
        outcomes={("labels", "matched"): 750},
        given_up=40,
        chunks={"predictions": Histogram((1,) * 3 + (2,) * (len(BUCKETS_S) - 3), 3, 7.5)},
    ),
    partitions=(
        PartitionState("panes", 1, 9, 0, stalled=Stalled(None, 0, 90_000, (("labels", 3),), unread=True)),
        PartitionState("predictions", 2, 900, 0, end=1000, watermark_ms=1_795_176_000_500),
    ),
)
MODEL = {"model": "credit", "version": "3"}


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("predictions_total", MODEL, 1000),
        ("errors_total", MODEL, 10),
        ("labels_total", MODEL, 750),
        ("late_events_total", MODEL, 5),
        ("dead_letters_total", {"reason": "json"}, 2),
        ("misrouted_total", {"topic": "labels"}, 0),
        ("join_outcomes_total", {"topic": "labels", "outcome": "matched"}, 750),
        ("join_given_up_total", {}, 40),
        ("accuracy", {**MODEL, "segment": ""}, 0.91),
        ("accuracy", {**MODEL, "segment": "channel=web"}, 0.91),
        ("estimated_accuracy", {**MODEL, "segment": ""}, 0.9),
        ("label_coverage", {**MODEL, "segment": ""}, 0.75),
        ("metric", {**MODEL, "segment": "", "name": "f1"}, 0.88),
        ("metric", {**MODEL, "segment": "", "name": "accuracy"}, 0.91),
        ("prediction_latency_seconds", {**MODEL, "segment": "", "quantile": "0.99"}, 0.044),
        ("label_lag_seconds", {**MODEL, "segment": "", "quantile": "0.95"}, 40.0),
        ("data_quality", {**MODEL, "segment": "", "feature": "income", "check": "missing"}, 0.01),
        ("data_quality", {**MODEL, "segment": "", "feature": "income", "check": "type_errors"}, 0),
        ("drift_score", {**MODEL, "segment": "", "feature": "income", "test": "psi"}, 0.4),
        ("drift_score", {**MODEL, "segment": "", "feature": "(prediction)", "test": "psi"}, 0.05),
        ("drift_share", {**MODEL, "segment": ""}, 0.5),
        ("resource_usage", {**MODEL, "segment": "", "instance": "pod-1", "resource": "cpu_percent"}, 40.0),
        ("incidents_open", {**MODEL, "severity": "critical"}, 2),
        ("incidents_open", {**MODEL, "severity": "warning"}, 0),
        ("alerts_total", MODEL, 3),
        ("retraining_requests_total", {**MODEL, "trigger": "drift"}, 1),
        ("consumer_lag", {"topic": "predictions", "partition": "2"}, 100),
        ("watermark_seconds", {"topic": "predictions", "partition": "2"}, 1_795_176_000.5),
        ("watermark_stalled_seconds", {"topic": "panes", "partition": "1"}, 90),
        ("watermark_held_back", {"topic": "panes", "partition": "1", "by": "labels-3"}, 1),
        ("chunk_seconds_bucket", {"topic": "predictions", "le": "0.005"}, 1),
        ("chunk_seconds_bucket", {"topic": "predictions", "le": "+Inf"}, 3),
        ("chunk_seconds_sum", {"topic": "predictions"}, 7.5),
        ("window_end_seconds", {**MODEL, "segment": ""}, 1_795_176_060),
        ("series_dropped_total", {}, 0),
    ],
)
def test_every_name_of_the_contract_has_its_value(name: str, labels: dict[str, str], value: float) -> None:
    assert Scraped(EVERYTHING).value(name, **labels) == pytest.approx(value)


def test_every_family_is_told_and_each_series_once() -> None:
    text = Scraped(EVERYTHING).text()
    assert {name for name in HELP if f"# TYPE inferwatch_{name} " not in text} == set()
    lines = [line.rpartition(" ")[0] for line in text.splitlines() if not line.startswith("#")]
    assert len(set(lines)) == len(lines)


def test_what_there_is_no_data_for_is_absent_and_never_0() -> None:
    bare = window(metrics={"error_rate": 1.0}, data_quality={}, drift={})
    scraped = Scraped(snapshot(monitored(bare), partitions=(PartitionState("panes", 0, 0, 0),)))
    told = {name for name, _ in scraped.series()}
    assert told & {"inferwatch_accuracy", "inferwatch_drift_share", "inferwatch_drift_score"} == set()
    assert told & {"inferwatch_consumer_lag", "inferwatch_watermark_seconds"} == set()
    assert scraped.value("metric", **MODEL, segment="", name="error_rate") == 1.0


def test_a_consistency_rule_stands_in_place_of_a_feature() -> None:
    broken = window(consistency={"income >= 0": 0.25, "region": 0.5})
    scraped = Scraped(snapshot(monitored(broken)))
    for feature, check, value in (("income >= 0", "violations", 0.25), ("region", "violations", 0.5)):
        assert scraped.value("data_quality", **MODEL, segment="", feature=feature, check=check) == value
    assert scraped.value("data_quality", **MODEL, segment="", feature="region", check="unseen") == 0.2


def test_counters_of_a_version_begin_at_0() -> None:
    scraped = Scraped(snapshot(monitored(window()), counted=Counted(predictions={("credit", "3"): 1})))
    for name in ("errors_total", "labels_total", "late_events_total", "alerts_total"):
        assert scraped.value(name, **MODEL) == 0


def test_series_leave_with_their_model_and_their_partition() -> None:
    partitions = (PartitionState("panes", 0, 5, 0, end=5), PartitionState("panes", 1, 5, 0, end=5))
    scraped = Scraped(snapshot(monitored(window()), monitored(window("churn"), model="churn"), partitions=partitions))
    assert {dict(labels)["model"] for _, labels in scraped.of_models()} == {"credit", "churn"}
    scraped.newest = snapshot(monitored(window("churn"), model="churn"), partitions=partitions[1:])
    assert {dict(labels)["model"] for _, labels in scraped.of_models()} == {"churn"}
    assert scraped.value("consumer_lag", topic="panes", partition="0") is None
    assert scraped.value("consumer_lag", topic="panes", partition="1") == 0


@pytest.mark.parametrize("value", ['say "no"', "back\\slash", "new\nline", "日本", ""])
def test_any_name_of_a_model_can_be_told(value: str) -> None:
    assert Scraped(snapshot(monitored(window(value), model=value))).value(
        "accuracy", model=value, version="3", segment=""
    )


def test_segments_are_named_by_column_and_value() -> None:
    assert [segment_label(segment) for segment in ({}, {"channel": "web"}, {"b": "2", "a": "1"})] == [
        "",
        "channel=web",
        "a=1,b=2",
    ]


def budgeted(budget: int) -> Scraped:
    models = [
        monitored(
            window(name), window(name, segment={"channel": "app"}), window(name, segment={"channel": "web"}), model=name
        )
        for name in ("churn", "credit")
    ]
    return Scraped(snapshot(*models, counted=Counted(predictions={("credit", "3"): 1})), budget)


def kinds(series: set[tuple[str, frozenset[tuple[str, str]]]]) -> set[tuple[bool, bool]]:
    """(of a segment, of a feature) of each series."""
    return {(bool(dict(labels).get("segment")), "feature" in dict(labels)) for _, labels in series}


def test_features_of_segments_leave_first_then_segments_then_features() -> None:
    scraped = budgeted(10_000)
    whole = scraped.of_models()
    assert scraped.value("series_dropped_total") == 0
    ranks = [(False, False), (False, True), (True, False), (True, True)]
    sizes = [len([series for series in whole if kinds({series}) == {rank}]) for rank in ranks]
    for count in range(1, 5):
        within = budgeted(sum(sizes[:count])).of_models()
        assert kinds(within) == set(ranks[:count])
        assert len(within) == sum(sizes[:count])


@pytest.mark.parametrize("budget", [0, 1, 30, 77, 100])
def test_what_is_left_out_is_counted_once_and_always_the_same(budget: int, caplog: pytest.LogCaptureFixture) -> None:
    whole = budgeted(10_000).of_models()
    scraped = budgeted(budget)
    with caplog.at_level(logging.WARNING):
        first = scraped.of_models()
        assert len(first) == budget
        assert first == scraped.of_models() == budgeted(budget).of_models()
        assert first < whole
        assert scraped.value("series_dropped_total") == len(whole) - budget
    assert len([record for record in caplog.records if "worker.series_budget" in record.message]) == 2, "one for each"


def test_the_count_of_what_is_left_out_grows_when_more_is() -> None:
    scraped = budgeted(50)
    before = scraped.value("series_dropped_total")
    newest = scraped.newest
    scraped.newest = snapshot()
    assert scraped.value("series_dropped_total") == before
    scraped.newest = newest
    assert before is not None
    assert scraped.value("series_dropped_total") == 2 * before


def test_a_worker_s_own_series_need_no_budget() -> None:
    scraped = Scraped(EVERYTHING, budget=0)
    assert scraped.of_models() == set()
    assert scraped.value("consumer_lag", topic="predictions", partition="2") == 100


def test_a_histogram_of_chunks_is_cumulative() -> None:
    durations = Durations()
    for seconds in (0.0009, 0.02, 9.0):
        durations.observe(seconds)
    assert durations.at_most == [1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2]
    assert (durations.count, durations.total_s) == (3, pytest.approx(9.0209))


@pytest.mark.promtool
def test_promtool_has_nothing_to_say() -> None:
    command = ["promtool", "check", "metrics"]
    checked = subprocess.run(command, input=Scraped(EVERYTHING).text(), text=True, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")

"""What rules say of single windows: each row says why its answer is right."""

from typing import Any

import numpy as np
import pytest

from app import defaults
from app.columns import Floats
from app.latency import FEWEST_WINDOWS, LatencyWatch
from app.performance import PerformanceWatch
from app.rules import Reading, judge, kind_of, rule_name
from app.settings import Rule
from app.statistics.groups import Groups
from app.statistics.histogram import Buckets, LogHistogram
from tests.app.judging import WEB, a_reading

BELOW = {"metric": "accuracy", "below": 0.85}
ABOVE = {"metric": "latency_p99_ms", "above": 100}
PSI = {"metric": "psi", "above": 0.2}
SHARES = {"income": {"missing": 0.3}, "age": {"missing": 0.4}, "region": {"missing": 0.0}}
QUALITY = {"data_quality": SHARES}
DRIFT = {"drift": {"income": {"psi": 0.3}, "age": {"psi": 0.1}}}


class TestUserRules:
    @pytest.mark.parametrize(
        ("rule", "window", "bad", "value"),
        [
            (BELOW, a_reading(accuracy=0.8), True, 0.8),
            (BELOW, a_reading(accuracy=0.9), False, 0.9),
            (BELOW, a_reading(accuracy=0.85), False, 0.85),  # the bound itself is kept
            (BELOW, a_reading(), None, None),  # no labels: no accuracy, and no verdict
            (BELOW, a_reading(accuracy=0.0, labels=19), None, None),  # too few labels behind it
            (BELOW, a_reading(accuracy=0.0, labels=20, predictions=0), True, 0.0),  # labels of earlier predictions
            (ABOVE, a_reading(latency_p99_ms=101), True, 101),
            (ABOVE, a_reading(latency_p99_ms=101, predictions=19), None, None),  # too few predictions
            ({"metric": "throughput_per_s", "below": 1}, a_reading(predictions=1, throughput_per_s=0.1), True, 0.1),
            ({"metric": "cpu_percent", "above": 90}, a_reading(predictions=0, labels=0, cpu_percent=95), True, 95),
            (PSI, a_reading(**DRIFT), True, 0.3),  # of any feature
            (PSI | {"feature": "age"}, a_reading(**DRIFT), False, 0.1),  # of this one
            (PSI | {"feature": "height"}, a_reading(**DRIFT), None, None),  # which is not there
            ({"metric": "missing", "above": 0.25}, a_reading(**QUALITY), True, 0.4),  # the worst one
            ({"metric": "missing", "below": 0.1}, a_reading(**QUALITY), True, 0.0),  # the worst one is the lowest
            ({"metric": "unseen", "above": 0.1}, a_reading(**QUALITY), None, None),  # numbers have no unseen values
        ],
    )
    def test_table(self, rule: dict[str, Any], window: Reading, bad: bool | None, value: float | None) -> None:
        verdict = judge(Rule(**rule), window)
        assert (verdict and verdict.bad, verdict and verdict.value) == (bad, value)

    def test_names_the_features(self) -> None:
        verdict = judge(Rule(metric="missing", above=0.25), a_reading(**QUALITY))
        assert verdict is not None
        assert verdict.evidence == {"features": ["age", "income"]}
        assert verdict.sentence == "missing is 0.4, above 0.25"

    @pytest.mark.parametrize(
        ("metric", "kind"),
        [
            ("accuracy", "performance"),
            ("recall_approve", "performance"),
            ("rmse", "performance"),
            ("psi", "drift"),
            ("unseen", "data_quality"),
            ("error_rate", None),
            ("latency_p99_ms", None),
            ("estimated_accuracy", None),  # an estimate is no truth: it asks for no retraining
        ],
    )
    def test_kinds(self, metric: str, kind: str | None) -> None:
        assert kind_of(metric) == kind

    def test_rule_names(self) -> None:
        assert rule_name(Rule(metric="accuracy", below=0.85)) == "accuracy below 0.85"
        assert rule_name(Rule(metric="psi", above=0.2, feature="age")) == "psi of age above 0.2"
        assert rule_name(Rule(metric="psi", above=0.2, name="moved")) == "moved"


class TestErrorRate:
    @pytest.mark.parametrize(
        ("rate", "rows", "bad", "severity"),
        [
            (0.01, 1000, False, "warning"),
            (0.05, 1000, False, "warning"),
            (0.06, 1000, None, "warning"),  # above, but 1.5 standard deviations are chance
            (0.10, 1000, True, "warning"),
            (0.30, 1000, True, "critical"),
            (0.15, 20, None, "warning"),  # 3 of 20
            (0.50, 20, True, "critical"),  # 10 of 20 is no chance
        ],
    )
    def test_table(self, rate: float, rows: int, bad: bool | None, severity: str) -> None:
        verdict = defaults.error_rate(a_reading(predictions=rows, error_rate=rate))
        assert verdict is not None
        assert (verdict.bad, verdict.severity) == (bad, severity)

    def test_small_windows_are_not_judged(self) -> None:
        assert defaults.error_rate(a_reading(predictions=19, error_rate=1.0)) is None

    def test_a_segment_needs_more(self) -> None:
        whole, part = (a_reading(predictions=400, error_rate=0.1, segment=segment) for segment in ((), WEB))
        assert [(v := defaults.error_rate(one)) and v.bad for one in (whole, part)] == [True, None]


class TestMissing:
    @pytest.mark.parametrize(
        ("share", "before", "bad"),
        [
            (0.02, 0.0, False),
            (0.12, 0.0, None),  # 2 points over the bound: 2 standard deviations in 1,000 rows
            (0.25, 0.0, True),
            (0.25, 0.2, False),  # as ever
            (1.00, 0.95, None),  # no share can be ten points more than that
        ],
    )
    def test_table(self, share: float, before: float, bad: bool | None) -> None:
        verdict = defaults.missing(a_reading(data_quality={"x": {"missing": share}}, missing_before={"x": before}))
        assert (verdict and verdict.bad) == bad

    def test_without_a_baseline(self) -> None:
        assert defaults.missing(a_reading(**QUALITY)) is None

    def test_names_what_is_missing(self) -> None:
        verdict = defaults.missing(a_reading(**QUALITY, missing_before={"income": 0, "age": 0, "region": 0}))
        assert verdict is not None
        assert verdict.evidence == {"features": ["age", "income"]}


class TestDrift:
    @pytest.mark.parametrize(
        ("psi", "rows", "bad"),
        [
            ((0.0, 0.1, 0.0), 1000, False),
            ((0.3, 0.1, 0.0), 1000, True),  # a third of the features
            ((0.3, 0.1, 0.0, 0.0), 1000, False),  # a quarter
            ((0.22, 0.1, 0.0), 1000, None),  # not over yet
            ((9.0, 9.0, 9.0), 99, None),  # too few rows to say
        ],
    )
    def test_table(self, psi: tuple[float, ...], rows: int, bad: bool | None) -> None:
        found = {f"x{number}": {"psi": value} for number, value in enumerate(psi)}
        verdict = defaults.drift(a_reading(predictions=rows, drift=found))
        assert (verdict and verdict.bad) == bad


def latencies(values: Floats) -> LogHistogram:
    histogram = LogHistogram()
    LogHistogram.update([histogram], Groups(np.zeros(len(values), np.int64), 1), Buckets(values))
    return histogram


class TestLatency:
    def judge(self, watch: LatencyWatch, number: int, values: Floats, **metrics: float) -> bool | None:
        verdict = watch.judge(a_reading(number, latency=latencies(values), **metrics))
        return verdict and verdict.bad

    def learned(self, windows: int = 60, ms: float = 10.0) -> LatencyWatch:
        watch = LatencyWatch()
        for number in range(windows):
            self.judge(watch, number, np.full(100, ms))
        return watch

    def test_nothing_to_compare_with(self) -> None:
        assert self.judge(self.learned(FEWEST_WINDOWS - 1), 4, np.full(100, 999.0)) is None
        assert self.judge(self.learned(FEWEST_WINDOWS), 5, np.full(100, 999.0)) is True

    def test_twice_the_usual(self) -> None:
        assert self.judge(self.learned(), 60, np.full(100, 19.0)) is False
        assert self.judge(self.learned(), 60, np.full(100, 21.0)) is True

    def test_one_slow_row_is_no_slow_model(self) -> None:
        values = np.full(100, 10.0)
        values[:2] = 999.0
        assert self.judge(self.learned(), 60, values) is None
        values[:5] = 999.0
        assert self.judge(self.learned(), 60, values) is True

    def test_the_reference_is_of_the_first_hour(self) -> None:
        watch = self.learned()
        for number in range(60, 600):
            self.judge(watch, number, np.full(100, 15.0))
        assert watch.p99 == pytest.approx(10, rel=0.01)
        assert "seen" not in watch.state(), "one number is left of it"

    def test_what_is_not_healthy_is_not_usual(self) -> None:
        watch = self.learned(FEWEST_WINDOWS)
        for number in range(5, 60):
            self.judge(watch, number, np.full(100, 50.0))
        assert watch.p99 == pytest.approx(10, rel=0.01), "too slow by the reference so far"
        failing = LatencyWatch()
        self.judge(failing, 0, np.full(100, 50.0), error_rate=0.5)
        assert failing.p99 is None, "failed calls are fast or hang"

    def test_too_few_windows_in_the_hour(self) -> None:
        watch = LatencyWatch()
        for hour in range(FEWEST_WINDOWS + 3):
            self.judge(watch, hour * 60, np.full(100, 10.0))
        assert watch.p99 == pytest.approx(10, rel=0.01)
        assert watch.windows >= 2

    def test_state(self) -> None:
        for windows in (0, 3, 80):
            watch = self.learned(windows)
            assert LatencyWatch(watch.state()).state() == watch.state()


class TestPerformance:
    def learned(self, accuracy: float = 0.9, *, detect: bool = False) -> PerformanceWatch:
        watch = PerformanceWatch(detect)
        for number in range(10):
            assert watch.judge(a_reading(number, labels=100, accuracy=accuracy)) is None
        return watch

    @pytest.mark.parametrize(
        ("accuracy", "labels", "bad", "severity"),
        [
            (0.90, 500, False, "warning"),
            (0.88, 500, False, "warning"),  # two points are tolerated
            (0.86, 500, None, "warning"),  # a little worse, within chance
            (0.80, 500, True, "warning"),  # 0.08 beyond the tolerance is 4.4 standard deviations
            (0.80, 100, None, "warning"),  # but not with few labels
            (0.60, 100, True, "critical"),
        ],
    )
    def test_table(self, accuracy: float, labels: int, bad: bool | None, severity: str) -> None:
        verdict = self.learned().judge(a_reading(labels=labels, accuracy=accuracy))
        assert verdict is not None
        assert (verdict.bad, verdict.severity) == (bad, severity)
        assert verdict.threshold == pytest.approx(0.88)

    def test_small_windows_wait_for_each_other(self) -> None:
        watch = self.learned()
        assert [watch.judge(a_reading(labels=20, accuracy=0.0)) is None for _ in range(3)] == [True, True, False]

    def test_a_model_without_errors(self) -> None:
        verdict = self.learned(1.0).judge(a_reading(labels=100, accuracy=0.9))
        assert verdict is not None
        assert verdict.bad

    def test_adwin_finds_what_no_window_shows(self) -> None:
        """Ten points more errors in windows of 50 labels: each alone is within chance."""
        rng = np.random.default_rng(1)
        with_adwin, without = PerformanceWatch(True), PerformanceWatch(False)
        found = {True: [], False: []}
        for number in range(160):
            accuracy = float(rng.binomial(50, 0.9 if number < 100 else 0.8)) / 50
            for watch in (with_adwin, without):
                verdict = watch.judge(a_reading(number, labels=50, accuracy=accuracy))
                if verdict is not None and verdict.bad:
                    found[watch.detect].append(number)
        assert found[True]
        assert 100 <= found[True][0] < 135
        assert len(found[False]) <= len(found[True])

    @pytest.mark.parametrize(
        ("rmse", "labels", "bad"),
        [(10.0, 200, False), (10.9, 200, False), (12.0, 200, None), (20.0, 200, True), (20.0, 50, None)],
    )
    def test_regression(self, rmse: float, labels: int, bad: bool | None) -> None:
        watch = PerformanceWatch(True)
        for number in range(10):
            watch.judge(a_reading(number, labels=100, rmse=10.0))
        verdict = watch.judge(a_reading(labels=labels, rmse=rmse))
        assert verdict is not None
        assert (verdict.bad, verdict.value) == (bad, pytest.approx(rmse))

    def test_failing_windows_are_no_reference(self) -> None:
        watch = PerformanceWatch(False)
        watch.judge(a_reading(labels=5000, accuracy=0.5, error_rate=0.5))
        assert watch.reference == [0, 0.0]

    def test_evidence_names_what_drifted(self) -> None:
        verdict = self.learned().judge(a_reading(labels=500, accuracy=0.5, **DRIFT))
        assert verdict is not None
        assert verdict.evidence["drifted_features"] == ["income"]

    def test_state(self) -> None:
        watch = self.learned(detect=True)
        watch.judge(a_reading(labels=30, accuracy=0.5))
        assert PerformanceWatch(True, watch.state()).state() == watch.state()

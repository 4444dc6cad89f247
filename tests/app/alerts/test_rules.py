"""What rules say of single windows: each row says why its answer is right."""

from typing import Any

import pytest

from app.alerts.rules import Reading, judge, kind_of, rule_name
from app.settings import Rule
from tests.app.judging import a_reading

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

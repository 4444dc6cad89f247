"""The rules for everyone over windows: each says why its answer is right."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from app.alerts.evidences import Evidences
from app.alerts.judge import Judge
from app.alerts.rules import Reading
from app.detection.budget import Budget
from app.settings import ModelSettings
from tests.app.judging import WEB, a_reading, histogram, in_bins

ROWS = 1000
Make = Callable[[int, np.random.Generator], Reading]


def accuracy(share: float, labels: int = ROWS) -> Make:
    return lambda n, rng: a_reading(n, labels=labels, accuracy=1 - rng.binomial(labels, 1 - share) / labels)


def error_rate(share: float) -> Make:
    return lambda n, rng: a_reading(n, labels=0, error_rate=rng.binomial(ROWS, share) / ROWS)


def quality(check: str, share: float, before: float | None = None) -> Make:
    def make(n: int, rng: np.random.Generator) -> Reading:
        found = {"income": {check: rng.binomial(ROWS, share) / ROWS}, "age": {check: rng.binomial(ROWS, 0.01) / ROWS}}
        known = {} if before is None else {"income": before, "age": 0.01}
        return a_reading(n, labels=0, data_quality=found, missing_before=known)

    return make


def latency(scale: float) -> Make:
    return lambda n, rng: a_reading(n, labels=0, latency=histogram(rng.lognormal(np.log(scale), 0.5, ROWS)))


def errors(scale: float) -> Make:
    """Of a regression."""

    def make(n: int, rng: np.random.Generator) -> Reading:
        values = np.abs(rng.normal(0, scale, 200))
        return a_reading(n, labels=200, rmse=float(np.sqrt((values**2).mean())), errors=histogram(values))

    return make


def bins(*shares: float) -> Make:
    return lambda n, rng: a_reading(
        n,
        labels=0,
        counted=in_bins(income=rng.multinomial(ROWS, shares).tolist(), age=rng.multinomial(ROWS, [0.25] * 4).tolist()),
    )


def coverage(share: float) -> Make:
    return lambda n, rng: a_reading(n, labels=int(rng.binomial(ROWS, share)))


def alerts(
    judge: Judge, make: Make, first: int, last: int, rng: np.random.Generator
) -> Iterator[tuple[int, dict[str, Any]]]:
    for number in range(first, last):
        yield from ((number, alert) for alert in judge.windows([make(number, rng)]))


CASES = [
    (accuracy(0.9), accuracy(0.8), "performance", 2, "warning"),
    (accuracy(0.9), accuracy(0.6), "performance", 1, "critical"),
    (accuracy(1.0, 100), accuracy(0.9, 100), "performance", 3, "warning"),
    (errors(3.0), errors(6.0), "performance", 2, "warning"),
    (errors(3.0), errors(30.0), "performance", 1, "critical"),
    (error_rate(0.01), error_rate(0.06), "error_rate", 1, "warning"),
    (error_rate(0.01), error_rate(0.5), "error_rate", 1, "critical"),
    (latency(20.0), latency(40.0), "latency_p99", 1, "warning"),
    (quality("missing", 0.01, 0.01), quality("missing", 0.05, 0.01), "missing", 2, "warning"),
    (quality("missing", 0.01), quality("missing", 0.05), "missing", 2, "warning"),
    (quality("unseen", 0.0), quality("unseen", 0.03), "unseen", 2, "info"),
    (quality("out_of_range", 0.002), quality("out_of_range", 0.03), "out_of_range", 2, "info"),
    (bins(0.25, 0.25, 0.25, 0.25), bins(0.1, 0.2, 0.3, 0.4), "drift", 1, "info"),
    (coverage(0.9), coverage(0.2), "label_coverage", 1, "info"),
]


@pytest.mark.parametrize(("healthy", "broken", "rule", "within", "severity"), CASES)
def test_a_change_is_told_and_told_to_be_over(
    healthy: Make, broken: Make, rule: str, within: int, severity: str
) -> None:
    judge, rng = Judge("credit", ModelSettings()), np.random.default_rng(1)
    assert list(alerts(judge, healthy, 0, 80, rng)) == []
    told = list(alerts(judge, broken, 80, 90, rng))
    number, alert = told[0]
    assert (alert["rule"], alert["state"], alert["severity"]) == (rule, "firing", severity)
    assert number - 80 < within
    assert alert["evidence"]["log10_e"] >= alert["evidence"]["log10_threshold"]
    assert {again["state"] for _, again in told[1:]} <= {"updated"}
    over = [alert for _, alert in alerts(judge, healthy, 90, 110, rng)]
    assert [(one["rule"], one["state"]) for one in over] == [(rule, "resolved")]
    assert list(alerts(judge, healthy, 110, 150, rng)) == []


@pytest.mark.parametrize(
    ("healthy", "other"),
    [
        (accuracy(0.9), accuracy(0.895)),
        (error_rate(0.01), error_rate(0.012)),
        (quality("missing", 0.01, 0.01), quality("missing", 0.0105, 0.01)),
        (bins(0.25, 0.25, 0.25, 0.25), bins(0.26, 0.24, 0.255, 0.245)),
    ],
)
def test_what_does_not_matter_is_no_news(healthy: Make, other: Make) -> None:
    judge, rng = Judge("credit", ModelSettings()), np.random.default_rng(2)
    assert list(alerts(judge, healthy, 0, 80, rng)) == []
    assert list(alerts(judge, other, 80, 300, rng)) == []


def test_a_smaller_budget_takes_longer() -> None:
    found = []
    for allowed in (0.0001, 1.0, 10_000.0):
        judge, rng = Judge("credit", ModelSettings(), budget=Budget(alerts=allowed)), np.random.default_rng(3)
        list(alerts(judge, accuracy(0.9, 60), 0, 200, rng))
        found.append(next(alerts(judge, accuracy(0.82, 60), 200, 400, rng))[0])
    assert found[0] > found[1] > found[2]


def test_what_fails_from_the_beginning_is_told_at_once() -> None:
    judge, rng = Judge("credit", ModelSettings()), np.random.default_rng(4)
    assert [a["severity"] for _, a in alerts(judge, error_rate(0.3), 0, 3, rng)] == ["critical"]


def test_seven_percent_of_errors_may_be_usual() -> None:
    judge, rng = Judge("credit", ModelSettings()), np.random.default_rng(5)
    assert list(alerts(judge, error_rate(0.07), 0, 300, rng)) == []


def test_one_segment_alone() -> None:
    judge, rng = Judge("credit", ModelSettings()), np.random.default_rng(6)
    found = []
    for number in range(120):
        web = 0.9 if number < 100 else 0.7
        readings = [
            a_reading(number, labels=2000, accuracy=1 - rng.binomial(2000, 0.1) / 2000),
            a_reading(number, labels=200, accuracy=1 - rng.binomial(200, 1 - web) / 200, segment=WEB),
        ]
        found += [(alert["rule"], alert["segment"], alert["state"]) for alert in judge.windows(readings)]
    found = [one for one in found if one[2] != "updated"]
    assert found == [("performance", {"channel": "web"}, "firing")]


def test_a_drift_that_does_harm_is_a_warning() -> None:
    judge, rng = Judge("credit", ModelSettings()), np.random.default_rng(7)
    found = []
    for number in range(90):
        share, shares = (0.9, [0.25] * 4) if number < 80 else (0.6, [0.1, 0.2, 0.3, 0.4])
        counted = in_bins(income=rng.multinomial(ROWS, shares).tolist())
        right = 1 - rng.binomial(ROWS, 1 - share) / ROWS
        moved = {"income": {"psi": 0.5}} if number >= 80 else {}
        found += judge.windows([a_reading(number, accuracy=right, counted=counted, drift=moved)])
    performance, drift = found
    assert [performance[name] for name in ("rule", "metric", "severity")] == ["performance", "accuracy", "critical"]
    assert performance["evidence"]["drifted_features"] == ["income"]
    assert (drift["rule"], drift["severity"], drift["parent"]) == ("drift", "warning", performance["alert_id"])
    assert drift["evidence"]["features"] == ["income"]


def test_a_new_version_begins_anew() -> None:
    judge, rng = Judge("credit", ModelSettings()), np.random.default_rng(8)
    list(alerts(judge, accuracy(0.9), 0, 50, rng))
    worse = [alert for n in range(50, 90) for alert in judge.windows([a_reading(n, version="2", accuracy=0.8)])]
    assert worse == []


def test_a_model_without_features_or_labels() -> None:
    assert Judge("credit", ModelSettings()).windows([a_reading(labels=0, predictions=0)]) == []


@pytest.mark.parametrize("older", [None, {"incidents": {}, "latency": {}, "performance": []}])
def test_a_state_of_an_older_version_is_a_fresh_one(older: dict[str, Any] | None) -> None:
    assert Judge("credit", ModelSettings(), older).state() == {"incidents": {}}


def test_a_round_trip_of_the_state_changes_nothing() -> None:
    one, other = Judge("credit", ModelSettings()), Judge("credit", ModelSettings())
    slots: dict[str, bytes] = {}
    rng = np.random.default_rng(9)
    for number in range(60):
        make = CASES[number % len(CASES)][0 if number < 40 else 1]
        reading = make(number, rng)
        evidences = Evidences(slots, clock=reading.start)
        other = Judge("credit", ModelSettings(), json.loads(json.dumps(other.state())), evidences=evidences)
        assert one.windows([reading]) == other.windows([reading])
        slots |= evidences.changes(number)[0]
    assert one.state() == json.loads(json.dumps(other.state()))


def test_a_detector_of_river_in_its_place() -> None:
    settings = ModelSettings(detectors={"performance": "page_hinkley"})
    judge, rng = Judge("credit", settings), np.random.default_rng(10)
    list(alerts(judge, accuracy(0.9), 0, 40, rng))
    number, alert = next(alerts(judge, accuracy(0.75), 40, 80, rng))
    assert (alert["rule"], alert["state"]) == ("performance", "firing")
    over = [(n, a["state"]) for n, a in alerts(judge, accuracy(0.9), number + 1, number + 20, rng)]
    assert [state for _, state in over if state != "updated"] == ["resolved"]

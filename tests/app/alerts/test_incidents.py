"""Episodes: drawn as one letter a window, b bad, g good, - neither; below it what is published: F, U, R."""

from typing import Any

import pytest

from app.alerts.incidents import Incidents, Watched
from app.alerts.judge import Judge
from app.alerts.rules import Reading, Verdict
from app.settings import ModelSettings
from tests.app.closing import MINUTE
from tests.app.judging import WEB, a_reading

ERRORS = Watched("errors", "error_rate", "1", ())
VERDICTS = {"b": True, "g": False, "-": None}
STATES = {"firing": "F", "updated": "U", "resolved": "R"}


def verdict(bad: bool | None = True, value: float = 0.2, severity: str = "warning") -> Verdict:
    return Verdict(bad, value, 0.1, severity, f"errors are {value:g}")


@pytest.mark.parametrize(
    ("windows", "published", "fires_after"),
    [
        ("ggggg", "     ", 1),
        ("bbbgg", "F  R ", 1),
        ("gbggb", " FR F", 1),
        ("bgbgb", "     ", 2),  # never two in a row
        ("bbggg", " F R ", 2),
        ("bbgbgg", " F   R", 2),  # one good window is not the end
        ("b-bggb", "  F R ", 2),  # a window that can't say breaks no streak
        ("bb-g-g-", " F   R ", 2),
        ("bbggbbgg", " F R F R", 2),
    ],
)
def test_streaks(windows: str, published: str, fires_after: int) -> None:
    incidents, found = Incidents("credit"), ""
    for number, letter in enumerate(windows):
        alert = incidents.observe(
            ERRORS,
            a_reading(number),
            verdict(VERDICTS[letter]),
            fires_after=fires_after,
            resolves_after=fires_after,
        )
        found += STATES[alert["state"]] if alert else " "
    assert found == published


def observe(incidents: Incidents, number: int, said: Verdict) -> dict[str, Any] | None:
    return incidents.observe(ERRORS, a_reading(number), said, fires_after=2, resolves_after=2)


def test_one_id_per_episode() -> None:
    incidents = Incidents("credit")
    alerts = [observe(incidents, n, verdict(VERDICTS[letter])) for n, letter in enumerate("bbggbbgg")]
    first, over, second, _ = [alert for alert in alerts if alert]
    assert first["alert_id"] == over["alert_id"] != second["alert_id"]
    assert first["fingerprint"] == second["fingerprint"]


def test_the_whole_alert() -> None:
    incidents = Incidents("credit")
    observe(incidents, 0, verdict())
    firing = observe(incidents, 1, verdict())
    assert firing is not None
    assert {name: value for name, value in firing.items() if name not in ("alert_id", "fingerprint")} == {
        "state": "firing",
        "severity": "warning",
        "model": "credit",
        "version": "1",
        "segment": {},
        "rule": "errors",
        "metric": "error_rate",
        "value": 0.2,
        "threshold": 0.1,
        "starts_at": "1970-01-01T00:00:00.000Z",
        "ends_at": None,
        "window_start": "1970-01-01T00:01:00.000Z",
        "window_end": "1970-01-01T00:02:00.000Z",
        "summary": "credit 1: errors are 0.2.",
        "evidence": {"window_id": "window-1", "predictions": 1000, "labels": 1000},
        "parent": None,
    }
    observe(incidents, 2, verdict(False, 0.05))
    over = observe(incidents, 3, verdict(False, 0.05, "critical"))
    assert over is not None
    assert over["starts_at"] == firing["starts_at"]
    assert over["ends_at"] == "1970-01-01T00:04:00.000Z"
    assert over["severity"] == "warning", "that of the incident, not of the good window"
    assert over["summary"] == "credit 1: errors is over: errors are 0.05."


@pytest.mark.parametrize(
    ("value", "severity", "told"),
    [
        (0.2, "warning", False),
        (0.24, "warning", False),
        (0.26, "warning", True),  # half as far again from the bound
        (0.2, "critical", True),
        (0.15, "warning", False),  # better
    ],
)
def test_told_again_only_when_it_is_worse(value: float, severity: str, told: bool) -> None:
    incidents = Incidents("credit")
    for number in range(2):
        observe(incidents, number, verdict())
    alert = observe(incidents, 2, verdict(True, value, severity))
    assert (alert is not None) == told
    assert alert is None or alert["state"] == "updated"


def test_small_steps_add_up() -> None:
    incidents = Incidents("credit")
    values = [0.2, 0.2, 0.22, 0.24, 0.26, 0.28, 0.3, 0.32, 0.34, 0.36]
    alerts = [observe(incidents, number, verdict(True, value)) for number, value in enumerate(values)]
    states = "".join(STATES[alert["state"]] if alert else " " for alert in alerts)
    assert states == " F  U   U "


def test_a_version_that_serves_no_longer() -> None:
    incidents = Incidents("credit")
    for number in range(2):
        observe(incidents, number, verdict())
    assert incidents.end("2", 5 * MINUTE, "superseded") == []
    (over,) = incidents.end("1", 5 * MINUTE, "the version is superseded")
    assert (over["state"], over["ends_at"]) == ("resolved", "1970-01-01T00:05:00.000Z")
    assert over["evidence"]["reason"] == "the version is superseded"
    assert incidents.open() == []


def test_state() -> None:
    incidents = Incidents("credit")
    for number in range(2):
        observe(incidents, number, verdict())
    again = Incidents("credit", incidents.state())
    assert again.state() == incidents.state()
    assert observe(again, 2, verdict(False)) is None
    over = observe(again, 3, verdict(False))
    assert over is not None
    assert over["state"] == "resolved"


class TestJudge:
    """All rules over the windows of one end."""

    def alerts(self, judge: Judge, *readings: Reading) -> list[tuple[str, str, dict[str, str]]]:
        return [(a["rule"], a["state"], a["segment"]) for a in judge.windows(readings)]

    def test_a_users_rule_is_of_its_segment(self) -> None:
        rules = [{"metric": "accuracy", "below": 0.8, "segment": {"channel": "web"}}]
        judge = Judge("credit", ModelSettings(rules=rules, default_rules=False))
        assert self.alerts(judge, a_reading(accuracy=0.1)) == []
        found = self.alerts(judge, a_reading(accuracy=0.1), a_reading(segment=WEB, accuracy=0.1))
        assert found == [("accuracy below 0.8", "firing", {"channel": "web"})]

    def test_rules_of_one_name_are_told_apart(self) -> None:
        rules = [{"metric": "accuracy", "below": 0.8}, {"metric": "accuracy", "below": 0.8, "windows": 2}]
        judge = Judge("credit", ModelSettings(rules=rules, default_rules=False))
        found = [alert for n in range(2) for alert in self.alerts(judge, a_reading(n, accuracy=0.1))]
        assert [rule for rule, _, _ in found] == ["accuracy below 0.8", "accuracy below 0.8 (2)"]

    def test_default_rules_can_be_switched_off(self) -> None:
        judge = Judge("credit", ModelSettings(default_rules=False))
        assert self.alerts(judge, a_reading(error_rate=0.9)) == []

    def test_what_all_traffic_shows_is_told_once(self) -> None:
        judge = Judge("credit", ModelSettings())
        whole, web = a_reading(error_rate=0.9), a_reading(segment=WEB, error_rate=0.9)
        assert self.alerts(judge, web, whole) == [("error_rate", "firing", {})]

    def test_what_one_segment_shows(self) -> None:
        judge = Judge("credit", ModelSettings())
        whole, web = a_reading(error_rate=0.05), a_reading(segment=WEB, predictions=100, error_rate=0.5)
        assert self.alerts(judge, web, whole) == [("error_rate", "firing", {"channel": "web"})]

"""Alerts become incidents: when each began, how bad it was, when it was over."""

from typing import Any

from app.messages import Message
from app.replay.history import History
from app.timestamps import rfc3339

HOUR = 3_600_000


def alert(
    identity: str, state: str, severity: str, hour: int, rule: str = "performance", value: float = 0.5
) -> Message:
    begun = 10 * HOUR
    content: dict[str, Any] = {
        "alert_id": identity,
        "state": state,
        "severity": severity,
        "version": "1",
        "segment": {},
        "rule": rule,
        "metric": "accuracy",
        "value": value,
        "summary": f"{state} at {hour}",
        "starts_at": rfc3339(begun),
        "ends_at": rfc3339(hour * HOUR) if state == "resolved" else None,
    }
    return Message("alerts", "m", content)


def test_an_incident_is_as_bad_as_it_ever_was() -> None:
    history = History()
    history.take([alert("a", "firing", "warning", 10), alert("a", "updated", "critical", 11, value=0.3)])
    history.take([alert("a", "updated", "warning", 12, value=0.4), alert("a", "resolved", "warning", 13, value=0.9)])
    (incident,) = history.incidents.values()
    assert (incident.severity, incident.value, incident.summary) == ("critical", 0.4, "updated at 12")
    assert (incident.start, incident.length_ms) == (10 * HOUR, 3 * HOUR)
    assert dict(+history.begun) == {"critical": 1}


def test_what_does_not_end_is_open() -> None:
    history = History()
    history.take([alert("a", "firing", "info", 10), Message("windows", "m", {})])
    assert history.incidents["a"].length_ms is None
    assert (history.windows, history.left_out) == (1, 0)


def test_of_many_incidents_the_first_are_kept_and_all_are_counted() -> None:
    history = History(most=2)
    for number in range(5):
        history.take([alert(str(number), "firing", "info", 10), alert(str(number), "updated", "warning", 11)])
    history.take([alert("4", "resolved", "warning", 12)])
    assert list(history.incidents) == ["0", "1"]
    assert history.left_out == 3
    assert dict(+history.begun) == {"warning": 5}


def test_silence_after_the_last_prediction_is_the_end_of_the_file() -> None:
    for last, kept in ((9 * HOUR, 0), (11 * HOUR, 1)):
        history = History()
        history.take([alert("s", "firing", "critical", 10, rule="silence")])
        history.end(last)
        assert (len(history.incidents), history.begun.total()) == (kept, kept)

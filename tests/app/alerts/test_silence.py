"""Absence as news: panes of 10 s, windows of 60 s, so that three of them without predictions are silence."""

from app.alerts.rhythm import Rhythm, least_patience_ms
from app.alerts.silence import GIVE_UP_MS, Silence
from app.alerts.versions import FORGET_MS, Versions
from tests.app.closing import DAY, HOUR, MINUTE, SECOND

PANE = 10 * SECOND
PATIENCE = 3 * MINUTE


def heard(silence: Silence, *panes: int, version: str = "1") -> list[str]:
    """Predictions in panes by number; the states of the alerts that come of it."""
    alerts = [silence.heard(number * PANE, (number + 1) * PANE, version) for number in panes]
    return [alert["state"] for alert in alerts if alert]


def test_the_patience() -> None:
    assert least_patience_ms(MINUTE) == 3 * MINUTE
    assert least_patience_ms(5 * SECOND) == MINUTE, "never less than a minute"


def test_silence_falls_three_windows_after_the_last_prediction() -> None:
    #  ..|-|-|                         |             |
    #     10 20 s                     200 s        30 min
    #              nothing           falls          ends
    silence = Silence("credit", PATIENCE)
    heard(silence, 0, 1)
    assert silence.due() == 2 * PANE + PATIENCE
    alert = silence.fall()
    assert (alert["state"], alert["severity"], alert["rule"]) == ("firing", "critical", "silence")
    assert (alert["starts_at"], alert["window_end"]) == ("1970-01-01T00:00:20.000Z", "1970-01-01T00:03:20.000Z")
    assert heard(silence, 180) == ["resolved"]
    assert silence.alert is None


def test_an_end_carries_the_same_id() -> None:
    silence = Silence("credit", PATIENCE)
    heard(silence, 0, 1)
    fell = silence.fall()
    ended = silence.heard(180 * PANE, 181 * PANE, "2")
    assert ended is not None
    assert ended["alert_id"] == fell["alert_id"]
    assert ended["ends_at"] == "1970-01-01T00:30:00.000Z"
    assert ended["summary"] == "credit 1: silence is over, predictions are back."


def test_where_there_was_nothing_nothing_is_missed() -> None:
    silence = Silence("credit", PATIENCE)
    assert silence.due() is None
    heard(silence, 0)
    assert silence.due() is None, "a single event is a test"


def test_a_week_later_nobody_waits() -> None:
    silence = Silence("credit", PATIENCE)
    heard(silence, 0, 1)
    silence.fall()
    assert silence.due() == 2 * PANE + GIVE_UP_MS
    assert silence.fall()["state"] == "resolved"
    assert silence.due() is None


def test_traffic_in_bursts_is_waited_for() -> None:
    """Half an hour of predictions every three hours: after the first gap the next ones are nothing new."""
    silence, alerts = Silence("batch", PATIENCE), 0
    for burst in range(5):
        for pane in range(180):
            start = burst * 3 * HOUR + pane * PANE
            due = silence.due()
            if due is not None and due <= start and not silence.alert:
                silence.fall()
                alerts += 1
            silence.heard(start, start + PANE, "1")
    assert alerts == 1


def test_hours_in_which_nothing_is_expected_are_no_waiting() -> None:
    """Predictions from 8 to 18 h on working days; the night and the weekend are in the baseline."""
    quiet = frozenset(hour for hour in range(168) if hour // 24 > 4 or not 8 <= hour % 24 < 18)
    silence, fell = Silence("office", PATIENCE), []
    for day in range(5):  # Thursday to Monday
        if day not in (2, 3):
            for start in range(day * DAY + 8 * HOUR, day * DAY + 18 * HOUR, 10 * PANE):
                if (due := silence.due()) is not None and due <= start:
                    fell.append(start)
                silence.heard(start, start + PANE, "1", quiet)
    assert fell == []
    assert silence.rhythm.patience_ms() < 2 * PATIENCE, "a night is no gap that is usual"
    assert silence.due() == 5 * DAY + 8 * HOUR + silence.rhythm.patience_ms() - 90 * SECOND
    assert Silence("office", PATIENCE, silence.state()).due() == silence.due()
    assert silence.fall()["window_end"] == "1970-01-06T08:03:00.000Z"


def test_state() -> None:
    silence = Silence("credit", PATIENCE)
    heard(silence, 0, 1, 7)
    silence.fall()
    assert Silence("credit", PATIENCE, silence.state()).state() == silence.state()


def test_usual_gaps_are_forgotten() -> None:
    rhythm = Rhythm(PATIENCE)
    rhythm.heard(0, PANE)
    rhythm.heard(HOUR, HOUR + PANE)
    assert rhythm.patience_ms() > 2 * HOUR
    for number in range(1, 2000):
        rhythm.heard(HOUR + number * PANE, HOUR + (number + 1) * PANE)
    assert rhythm.patience_ms() == PATIENCE


class TestVersions:
    #  version 1  |=========|
    #  version 2            |===============
    #                           review
    def test_superseded_when_another_one_is_asked(self) -> None:
        versions = Versions(PATIENCE)
        versions.heard(0, PANE, "1")
        for number in range(1, 60):
            versions.heard(number * PANE, (number + 1) * PANE, "2")
        assert versions.review(PANE + PATIENCE - 1) == []
        assert versions.review(PANE + PATIENCE) == ["1"]
        assert versions.review(PANE + PATIENCE + MINUTE) == [], "once"

    def test_silence_of_all_supersedes_none(self) -> None:
        versions = Versions(PATIENCE)
        for version in "12":
            versions.heard(0, PANE, version)
        assert versions.review(HOUR) == []

    def test_back_again(self) -> None:
        versions = Versions(PATIENCE)
        versions.heard(0, PANE, "1")
        versions.heard(HOUR, HOUR + PANE, "2")
        assert versions.review(HOUR + PANE) == ["1"]
        versions.heard(HOUR + PANE, HOUR + 2 * PANE, "1")
        assert versions.superseded == set()

    def test_forgotten(self) -> None:
        versions = Versions(PATIENCE)
        versions.heard(0, PANE, "1")
        late = PANE + FORGET_MS
        versions.heard(late - PANE, late, "2")
        versions.review(late)
        assert versions.known() == {"2"}
        assert Versions(PATIENCE, versions.state()).state() == versions.state()

"""A watermark that stands still: patience of a minute, ticks each 10 s of the clock, event time an hour behind it."""

from typing import Any

import orjson

from app.alerts.stalled import Stalled, StalledAlert, Standstill, patience_ms
from app.events.alerts import Alert
from app.monitor import Monitor
from app.outcome import DECISIONS
from app.settings import Settings, WindowSettings
from app.sources.progress import Name, Progress
from tests.app.closing import MINUTE, SECOND, pane, predictions, tick

FIRST, OTHER = ("predictions", 0), ("predictions", 1)
CLOCK = 3600 * SECOND


class Ticking:
    """Two source partitions whose readers tick or don't."""

    def __init__(self) -> None:
        self.progress, self.standstill = Progress(), Standstill(MINUTE)
        self.now = CLOCK
        self.offset = 0

    def tick(self, *sources: tuple[Name, int | None, bool]) -> Stalled | None:
        """(source, watermark in seconds, idle) each, 10 s after the tick before."""
        lines = [(*name, 1, None if at is None else at * SECOND, idle) for name, at, idle in sources]
        told: dict[str, Any] = tick(*lines, predictions=2)["tick"]
        self.progress.tick(told, self.offset)
        self.standstill.tick(told["sources"], self.progress, self.now)
        self.offset, self.now = self.offset + 1, self.now + 10 * SECOND
        return self.standstill.stalled(self.progress)


def test_the_patience() -> None:
    assert patience_ms(WindowSettings()) == MINUTE
    assert patience_ms(WindowSettings(idle_after_s=60)) == 3 * MINUTE


def test_while_time_goes_on_nothing_is_stalled() -> None:
    ticking = Ticking()
    assert not any(ticking.tick((FIRST, second, False), (OTHER, second, False)) for second in range(30))


def test_a_partition_whose_reader_died() -> None:
    """
    first  0 1 2 3 4 5 6 7 ...
    other  0                     then nothing more is told of it, whether it was idle or not
    """
    for idle in (False, True):
        ticking = Ticking()
        ticking.tick((FIRST, 0, False), (OTHER, 0, idle))
        found = [ticking.tick((FIRST, second, False)) for second in range(1, 8)]
        assert found[:5] == [None] * 5, "less than a minute"
        assert found[6] == Stalled(0, CLOCK, 70 * SECOND, (OTHER,), unread=True)


def test_a_partition_that_was_never_read() -> None:
    ticking = Ticking()
    found = [ticking.tick((FIRST, second, False)) for second in range(8)]
    assert found[-1] == Stalled(None, CLOCK, 70 * SECOND, (OTHER,), unread=True)


def test_an_active_partition_whose_events_bring_no_time() -> None:
    ticking = Ticking()
    found = [ticking.tick((FIRST, max(second, 5), False), (OTHER, 5, False)) for second in range(20)]
    assert found[12] is not None
    assert found[12].held_by == (OTHER,)
    assert not found[12].unread


def test_of_those_that_wait_with_it_only_the_one_that_holds_is_told() -> None:
    ticking = Ticking()
    found = [ticking.tick((FIRST, 5, True), (OTHER, 5, False)) for _ in range(8)]
    assert found[-1] is not None
    assert found[-1].held_by == (OTHER,)


def test_when_all_are_idle_there_is_nothing_to_wait_for() -> None:
    """History was loaded to its end: time stops with the last window."""
    ticking = Ticking()
    assert not any(ticking.tick((FIRST, 5, True), (OTHER, 5, True)) for _ in range(20))


def test_an_idle_word_does_not_hold_for_ever() -> None:
    ticking = Ticking()
    ticking.tick((FIRST, 5, True), (OTHER, 5, True))
    found = [ticking.tick((FIRST, 5, True)) for _ in range(8)]
    assert found[-1] == Stalled(5 * SECOND, CLOCK, 80 * SECOND, (OTHER,), unread=True)


STALLED = Stalled(5 * SECOND, CLOCK, 70 * SECOND, (OTHER,), unread=True)


def test_an_episode_has_one_id_from_firing_to_resolved() -> None:
    watch = StalledAlert("credit", MINUTE)
    fired = watch.hear(STALLED, 5 * SECOND, "3")
    assert fired is not None
    assert (fired["state"], fired["severity"], fired["rule"]) == ("firing", "warning", "watermark_stalled")
    assert fired["evidence"] == {"held_by": ["predictions-1"], "unread": True}
    assert fired["summary"] == (
        "credit 3: no window closes, event time is held back by predictions-1, which nobody reads."
    )
    assert watch.hear(STALLED, 5 * SECOND, "3") is None, "told once"
    assert watch.hear(None, 5 * SECOND, "3") is None, "a new owner that has not waited long enough to tell"
    ended = watch.hear(None, 9 * SECOND, "4")
    assert ended is not None
    assert (ended["state"], ended["alert_id"], ended["version"]) == ("resolved", fired["alert_id"], "3")
    assert ended["ends_at"] == "1970-01-01T00:00:09.000Z"
    for alert in (fired, ended):
        Alert.model_validate(alert)
    again = watch.hear(Stalled(9 * SECOND, CLOCK, 70 * SECOND, (OTHER,), unread=False), 9 * SECOND, "3")
    assert again is not None
    assert again["alert_id"] != fired["alert_id"]
    assert again["fingerprint"] == fired["fingerprint"]


def test_where_time_never_began() -> None:
    watch = StalledAlert("credit", MINUTE)
    assert watch.hear(Stalled(None, CLOCK, MINUTE, (FIRST, OTHER), unread=True), None, "") is None, "no version yet"
    fired = watch.hear(Stalled(None, CLOCK, MINUTE, (FIRST, OTHER), unread=True), None, "3")
    assert fired is not None
    assert fired["starts_at"] == "1970-01-01T01:00:00.000Z"
    assert "predictions-0 and 1 more" in fired["summary"]
    ended = watch.hear(None, 9 * SECOND, "3")
    assert ended is not None
    assert ended["state"] == "resolved"


def test_a_new_owner_of_the_model_ends_it() -> None:
    monitor = Monitor("credit", Settings(), {})
    monitor.close_pane(pane(0, predictions(5), position=1))
    fired = monitor.stand(STALLED, 5 * SECOND, "other", 7)
    (alert,) = [message.value for message in fired.messages]
    assert (alert["version"], alert["state"]) == ("1", "firing")
    assert monitor.snapshot().incidents == (alert,)
    assert monitor.stand(STALLED, 5 * SECOND, "other", 8).state == {}

    successor = Monitor("credit", Settings(), {DECISIONS: fired.state[DECISIONS] or b""})
    (ended,) = [message.value for message in successor.stand(None, MINUTE, "", 9).messages]
    assert (ended["alert_id"], ended["state"]) == (alert["alert_id"], "resolved")
    assert orjson.loads(successor.stand(STALLED, 5 * SECOND, "", 10).state[DECISIONS] or b"")["position"] == 10

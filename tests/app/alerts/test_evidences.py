"""Evidence that outlives its process: each window counts in it once, wherever the process ended."""

from app.alerts.evidences import PREFIX, Evidences
from app.segments import EVERYTHING
from tests.app.closing import MINUTE
from tests.app.judging import a_reading

THRESHOLDS = dict.fromkeys(
    ("performance", "error_rate", "latency_p99", "missing", "drift", "unseen", "out_of_range", "label_coverage"), 12.0
)


def judge(evidences: Evidences, number: int) -> None:
    reading = a_reading(number, labels=100, predictions=100, error_rate=0.01)
    evidences.of("1", EVERYTHING).judge(reading, THRESHOLDS, frozenset())
    evidences.judged("1", EVERYTHING, reading.end)


def stored(evidences: Evidences, slots: dict[str, bytes]) -> dict[str, bytes]:
    values, dropped = evidences.changes(position=0)
    return {name: value for name, value in (slots | values).items() if name not in dropped}


def test_a_crash_before_the_decisions_counts_the_window_once() -> None:
    first = Evidences()
    judge(first, 0)
    slots = stored(first, {})
    judge(first, 1)
    ahead = stored(first, slots)
    again = Evidences(ahead, clock=MINUTE)
    judge(again, 1)
    assert again.of("1", EVERYTHING).state() == first.of("1", EVERYTHING).state()


def test_what_the_decisions_were_drawn_from_is_read_back() -> None:
    first = Evidences()
    slots: dict[str, bytes] = {}
    for number in range(5):
        judge(first, number)
        slots = stored(first, slots)
    again = Evidences(slots, clock=5 * MINUTE)
    assert list(again) == [("1", EVERYTHING)]
    assert again.of("1", EVERYTHING).state() == first.of("1", EVERYTHING).state()
    assert len(slots) == 2


def test_without_decisions_there_is_no_evidence() -> None:
    first = Evidences()
    judge(first, 0)
    assert list(Evidences(stored(first, {}), clock=None)) == []


def test_nothing_new_stores_nothing_and_what_is_forgotten_goes() -> None:
    evidences = Evidences()
    judge(evidences, 0)
    slots = stored(evidences, {})
    assert all(name.startswith(PREFIX) for name in slots)
    assert evidences.changes(position=1) == ({}, [])
    evidences.forget({"1"})
    assert stored(evidences, slots) == {}
    assert list(evidences) == []

"""Segments: first come, first served, up to a limit."""

from app.admission import FORGET_MS, Admission
from app.segments import EVERYTHING, Segment


def channel(name: str) -> Segment:
    return (("channel", name),)


def names(admission: Admission, *given: str, time: int = 0) -> set[str]:
    return {segment[0][1] for segment in admission.admit(map(channel, given), time)}


def test_first_come_first_served() -> None:
    admission = Admission(2)
    assert names(admission, "b") == {"b"}
    assert names(admission, "c", "a") == {"a"}, "of those that come together, by name"
    assert names(admission, "a", "b", "c") == {"a", "b"}
    assert admission.left_out == 2


def test_all_of_the_traffic_needs_no_place() -> None:
    admission = Admission(0)
    assert admission.admit([EVERYTHING, channel("a")], 0) == {EVERYTHING}


def test_one_that_is_long_gone_gives_its_place_away() -> None:
    admission = Admission(1)
    names(admission, "a")
    assert names(admission, "b", time=FORGET_MS - 1) == set()
    assert names(admission, "b", time=FORGET_MS) == {"b"}


def test_state() -> None:
    admission = Admission(2)
    names(admission, "a", "b")
    again = Admission(2, admission.state())
    assert again.state() == admission.state()
    assert names(again, "c") == set()

"""Which source partition holds panes open, and how far an idle one may go on. Times are seconds."""

import pytest

from app.sources.progress import Progress, reached
from tests.app.closing import tick

#  of two partitions of `predictions` and one of `labels`
FIRST, SECOND, LABELS = ("predictions", 0), ("predictions", 1), ("labels", 0)


def progress(*told: tuple[tuple[str, int], int, int | None, bool]) -> Progress:
    """(source, position, watermark, idle) each, in ticks of their own at offsets 0, 1, 2..."""
    made = Progress()
    for offset, (source, *rest) in enumerate(told):
        made.tick(tick((*source, *rest), predictions=2, labels=1)["tick"], offset)  # type: ignore[arg-type]
    return made


def test_a_partition_that_nobody_read_yet_holds_panes_open() -> None:
    assert progress((FIRST, 5, 100, False), (LABELS, 5, 100, False)).watermark() is None


@pytest.mark.parametrize("idle", [False, True])
def test_a_partition_that_nobody_reads_any_more_holds_panes_open(idle: bool) -> None:
    """
    first    10 20 30 40 50 60      its reader goes on
    labels   10 20 30 40 50 60
    second   10 20 x                its reader died, with or without having said that it is idle
    panes    10 20 20 20 20 20
    """
    made = progress((SECOND, 1, 10, False), (SECOND, 1, 20, idle))
    for offset, second in enumerate(range(30, 70, 10)):
        ticks = (*FIRST, offset, second, False), (*LABELS, offset, second, True)
        made.tick(tick(*ticks, predictions=2, labels=1)["tick"], 2 + offset)
        assert made.watermark() == 20


def test_a_new_reader_that_begins_at_the_floor_takes_nothing_back() -> None:
    made = progress((FIRST, 9, 50, False), (LABELS, 9, 50, False), (SECOND, 9, 50, True), (SECOND, 4, 20, False))
    assert made.watermark() == 50
    made.tick(tick((*SECOND, 10, 60, False), predictions=2, labels=1)["tick"], 4)
    assert made.watermark() == 50


def test_an_idle_source_goes_on_with_the_slowest_active_one() -> None:
    assert reached([(50, False), (40, False), (10, True), (None, True), (90, True)]) == 40


def test_when_all_are_idle_they_go_on_to_the_furthest() -> None:
    assert reached([(50, True), (40, True), (None, True)]) == 50
    assert reached([(None, True)]) is None
    assert reached([]) is None


def test_an_active_source_without_events_may_hold_anything() -> None:
    assert reached([(50, False), (None, False), (10, True)]) is None

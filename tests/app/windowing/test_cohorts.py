"""Cohorts of 10 min, published again at most every 60 s, followed for 30 min more."""

from app.segments import EVERYTHING
from app.settings import Settings
from app.windowing.cohorts import Cohorts
from app.windowing.windows import Window
from tests.app.closing import MINUTE, SECOND, labelled, predictions

SETTINGS = Settings.model_validate(
    {"windows": {"cohort_s": 600, "cohort_revision_s": 60}, "labels": {"horizon_s": 1800}}
)
PANE = 10 * SECOND
END = 10 * MINUTE
GONE = END + 30 * MINUTE
KEY = ("1", EVERYTHING, 0)


def add(cohorts: Cohorts, time: int, *, right: int = 0, rows: int = 0) -> None:
    """A pane at `time` (ms) with labels or predictions of the first cohort."""
    totals = predictions(rows) if rows else labelled(right, 0)
    cohorts.add(time, time + PANE, {KEY: totals})


def passed(cohorts: Cohorts, until: int) -> list[tuple[int, Window]]:
    found = []
    while (due := cohorts.next_due()) is not None and due <= until:
        found += [(due, window) for window in cohorts.due(due)]
    return found


def shown(found: list[tuple[int, Window]]) -> list[tuple[float, int | None, int, int]]:
    """Minute of publication, revision, predictions, labels."""
    return [(due / MINUTE, w.revision, w.totals.predictions, w.totals.label_count) for due, w in found]


def test_the_life_of_a_cohort() -> None:
    # predictions |====|
    # labels           |-|    |-|-|-|          |-|
    #             0     5   10   12           20       40 min
    # published             1    2 3           4       (gone)
    cohorts = Cohorts(SETTINGS, {})
    add(cohorts, 0, rows=10)
    add(cohorts, 5 * MINUTE, right=1)
    assert cohorts.next_due() == END
    assert shown(passed(cohorts, 12 * MINUTE)) == [(10, 1, 10, 1)]
    for second in (0, 10, 20):
        add(cohorts, 12 * MINUTE + second * SECOND, right=1)
        passed_now = shown(passed(cohorts, 12 * MINUTE + (second + 10) * SECOND))
        assert passed_now == ([(12 + 1 / 6, 2, 10, 2)] if second == 0 else [])
    assert shown(passed(cohorts, 20 * MINUTE)) == [(13 + 1 / 6, 3, 10, 4)]
    add(cohorts, 20 * MINUTE, right=1)
    assert shown(passed(cohorts, GONE)) == [(20 + 1 / 6, 4, 10, 5)]
    assert cohorts.next_due() is None


def test_unchanged_it_is_not_published_again() -> None:
    cohorts = Cohorts(SETTINGS, {})
    add(cohorts, 0, rows=10)
    assert [revision for _, revision, *_ in shown(passed(cohorts, 2 * GONE))] == [1]


def test_the_last_revision_comes_at_the_horizon() -> None:
    cohorts = Cohorts(SETTINGS, {})
    add(cohorts, 0, rows=10)
    passed(cohorts, END)
    add(cohorts, GONE - 2 * PANE, right=1)
    passed(cohorts, GONE - PANE)
    add(cohorts, GONE - PANE, right=1)
    assert shown(passed(cohorts, GONE)) == [(40, 3, 10, 2)]


def test_beyond_the_horizon_it_is_counted_and_left() -> None:
    cohorts = Cohorts(SETTINGS, {})
    add(cohorts, GONE, right=1)
    assert cohorts.expired == 1
    assert cohorts.next_due() is None


def test_a_pane_added_again_makes_no_revision() -> None:
    cohorts = Cohorts(SETTINGS, {})
    add(cohorts, 0, rows=10)
    passed(cohorts, END)
    values, _ = cohorts.changes(position=1)
    again = Cohorts(SETTINGS, values)
    add(again, 0, rows=10)
    assert passed(again, GONE - 1) == []


def test_what_was_published_before_a_crash_is_not_published_again() -> None:
    cohorts = Cohorts(SETTINGS, {})
    add(cohorts, 0, rows=10)
    values, _ = cohorts.changes(position=1)
    passed(cohorts, END)
    values |= cohorts.changes(position=2)[0]
    assert passed(Cohorts(SETTINGS, values), END) == []


def test_dropped_slots() -> None:
    cohorts = Cohorts(SETTINGS, {})
    add(cohorts, 0, rows=10)
    values, _ = cohorts.changes(position=1)
    passed(cohorts, GONE)
    assert cohorts.changes(position=2) == ({}, list(values))
    leftover = Cohorts(SETTINGS, values)
    leftover.drop(GONE)
    assert leftover.next_due() is None
    assert leftover.changes(position=3) == ({}, list(values))


def test_resources_alone_make_no_cohort() -> None:
    cohorts = Cohorts(SETTINGS, {})
    cohorts.add(0, PANE, {KEY: labelled(0, 0)})
    assert passed(cohorts, GONE) == []

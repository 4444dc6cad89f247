"""Waiting that leaves out hours of the week, against counting second by second."""

import hypothesis.strategies as st
from hypothesis import given, settings

from app.alerts.quiet_hours import waited_ms, waited_until
from app.week import HOUR_MS, WEEK_HOURS, hour_of_week

STEP = HOUR_MS // 4
QUIET = st.frozensets(st.integers(0, WEEK_HOURS - 1), max_size=WEEK_HOURS - 1)


@settings(max_examples=200, deadline=None)
@given(quiet=QUIET, start=st.integers(0, 1000), steps=st.integers(0, 3000))
def test_waited(quiet: frozenset[int], start: int, steps: int) -> None:
    times = range(start * STEP, (start + steps) * STEP, STEP)
    counted = sum(STEP for time in times if hour_of_week(time) not in quiet)
    assert waited_ms(start * STEP, (start + steps) * STEP, quiet) == counted


@settings(max_examples=200, deadline=None)
@given(quiet=QUIET, start=st.integers(0, 10**12), patience=st.integers(1, 10**9))
def test_it_ends_where_so_much_was_waited(quiet: frozenset[int], start: int, patience: int) -> None:
    end = waited_until(start, patience, quiet)
    assert waited_ms(start, end, quiet) == patience
    assert waited_ms(start, end - 1, quiet) == patience - 1

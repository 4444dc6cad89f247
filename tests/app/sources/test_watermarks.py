from datetime import UTC, datetime

import numpy as np

from app.sources.watermarks import earlier_maximum, event_times, implausible, late_rows
from app.timestamps import milliseconds

NOTHING = np.iinfo(np.int64).min


def test_event_times_read_every_wire_form_as_milliseconds() -> None:
    moments = [datetime(2026, 11, 20, 12, 0, 0, 123999, UTC), 1795176000.5, 1795176000500.0, 0.0015]
    assert event_times(moments).tolist() == [1795176000123, 1795176000500, 1795176000500, 1]


def test_event_times_agree_with_the_slow_form() -> None:
    texts = [
        "2026-11-20T12:00:00.001Z",
        "2026-11-20T12:00:00.9999Z",
        "2026-11-20T13:00:00+01:00",
        "1999-12-31T23:59:59Z",
    ]
    parsed = [datetime.fromisoformat(text) for text in texts]
    assert event_times(parsed).tolist() == [milliseconds(text) for text in texts]


def test_huge_numbers_are_times_too_far_away_and_no_overflow() -> None:
    assert event_times([1e300, -1e300]).tolist() == [2**53, -(2**53)]


def test_the_maximum_is_of_earlier_offsets_only() -> None:
    times, offsets = np.array([5, 3, 9, 4]), np.array([10, 11, 12, 13])
    assert earlier_maximum(times, offsets, None).tolist() == [NOTHING, 5, 5, 9]
    assert earlier_maximum(times, offsets, 7).tolist() == [7, 7, 7, 9]


def test_rows_of_one_record_do_not_make_each_other_late() -> None:
    times, offsets = np.array([5, 9, 1, 2, 3]), np.array([10, 11, 11, 11, 12])
    assert earlier_maximum(times, offsets, None).tolist() == [NOTHING, 5, 5, 5, 9]


def test_a_row_is_late_when_its_pane_and_the_lateness_are_over() -> None:
    # panes of 10, lateness 5; the watermark has come to 25:  [0..10)+5 over, [10..20)+5 over at exactly 25
    #  |---------|---------|----:----|
    #  0         10        20   25
    times = np.array([9, 10, 19, 20, 25])
    before = np.full(5, 25)
    assert late_rows(times, before, 10, 5).tolist() == [True, True, True, False, False]
    assert late_rows(times, before - 1, 10, 5).tolist() == [True, False, False, False, False]


def test_a_time_is_implausible_ahead_of_its_record_and_before_1970() -> None:
    ahead, before = implausible(np.array([1300, 1301, 10**9, -1]), np.array([1000, 1000, -1, 1000]), 300)
    assert ahead.tolist() == [False, True, False, False]
    assert before.tolist() == [False, False, False, True]

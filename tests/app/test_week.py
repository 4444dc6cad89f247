"""Hours of the week."""

import numpy as np

from app.week import WEEK_HOURS, hour_of_week


def test_the_week_begins_on_monday() -> None:
    assert hour_of_week(1_795_392_000_000) == 0  # Monday 2026-11-23, 00:00 UTC
    assert hour_of_week(1_795_392_000_000 - 1) == WEEK_HOURS - 1
    times = np.array([1_795_392_000_000, 1_795_392_000_000 - 1])
    assert hour_of_week(times).tolist() == [0, WEEK_HOURS - 1]

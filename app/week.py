"""Hours of the week, in UTC: 0 begins on Monday at midnight."""

from typing import TypeVar

from app.decoding.columns import Ints

HOUR_MS = 3_600_000
WEEK_HOURS = 168
# 1970 began on a Thursday.
MONDAY = 72

Time = TypeVar("Time", int, Ints)


def hour_of_week(times_ms: Time) -> Time:
    """Of one time, or of each."""
    return (times_ms // HOUR_MS + MONDAY) % WEEK_HOURS

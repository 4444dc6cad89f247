"""Hours of the week in which nothing is expected: time in them does not count as waiting."""

from collections.abc import Set

from app.week import HOUR_MS, WEEK_HOURS, hour_of_week


def waited_ms(start: int, end: int, quiet: Set[int]) -> int:
    """How much of [start, end) lies in other hours than the `quiet` ones."""
    if not quiet:
        return end - start
    weeks, rest = divmod(max(end - start, 0), WEEK_HOURS * HOUR_MS)
    waited, now = weeks * (WEEK_HOURS - len(quiet)) * HOUR_MS, end - rest
    while now < end:
        until = min(now - now % HOUR_MS + HOUR_MS, end)
        waited += 0 if hour_of_week(now) in quiet else until - now
        now = until
    return waited


def waited_until(start: int, patience_ms: int, quiet: Set[int]) -> int:
    """When `patience_ms` outside of the `quiet` hours will have passed. Not all hours are quiet."""
    if not quiet:
        return start + patience_ms
    weeks, left = divmod(patience_ms, (WEEK_HOURS - len(quiet)) * HOUR_MS)
    now = start + weeks * WEEK_HOURS * HOUR_MS
    while left > 0:
        until = now - now % HOUR_MS + HOUR_MS
        if hour_of_week(now) not in quiet:
            until = min(until, now + left)
            left -= until - now
        now = until
    return now

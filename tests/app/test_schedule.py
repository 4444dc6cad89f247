"""Each row says when a schedule comes next, and why."""

import pytest

from app.cron import parse
from app.schedule import next_match
from app.timestamps import milliseconds, rfc3339


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        ("0 3 * * 1", "2026-11-20T12:00:00Z", "2026-11-23T03:00:00.000Z"),  # a Friday: next Monday
        ("0 3 * * 1", "2026-11-23T02:59:59.999Z", "2026-11-23T03:00:00.000Z"),  # the last ms before it
        ("0 3 * * 1", "2026-11-23T03:00:00Z", "2026-11-30T03:00:00.000Z"),  # that minute itself is over
        ("*/15 * * * *", "2026-12-31T23:46:00Z", "2027-01-01T00:00:00.000Z"),  # over the year's end
        ("0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00.000Z"),  # the next leap year
        ("0 0 1 * 5", "2026-11-02T00:00:00Z", "2026-11-06T00:00:00.000Z"),  # day or weekday: the Friday is first
    ],
)
def test_the_next_time(schedule: str, after: str, expected: str) -> None:
    found = next_match(parse(schedule), milliseconds(after))
    assert found is not None
    assert rfc3339(found) == expected


def test_a_date_that_never_comes() -> None:
    assert next_match(parse("0 0 31 2 *"), 0) is None

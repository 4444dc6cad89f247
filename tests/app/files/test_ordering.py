"""Events in the order of their time, in memory and on disk alike."""

import random

import pytest

from app.files.ordering import in_time_order
from app.files.rows import Event


def events(count: int) -> list[Event]:
    numbers = random.Random(5)
    return [
        Event(
            numbers.randrange(-50, 50),
            order,
            numbers.choice(["predictions", "labels"]),
            f"key-{order}".encode(),
            bytes(numbers.randrange(300)),
        )
        for order in range(count)
    ]


@pytest.mark.parametrize("held_bytes", [1, 10_000, 1 << 30])
@pytest.mark.parametrize("count", [0, 1, 500])
def test_sorted_by_time_and_then_by_order(count: int, held_bytes: int) -> None:
    unsorted = events(count)
    assert list(in_time_order(iter(unsorted), held_bytes)) == sorted(unsorted)

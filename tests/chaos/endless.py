"""Traffic without an end, made as it is sent."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count

from tests.traffic import START, Sent, binary_traffic

AT_ONCE = 2000
EVENTS_A_SECOND = 1000
CORRECTED = 0.03


def endless_traffic(seed: int) -> Iterator[Sent]:
    """Predictions and their labels in the order of sending; labels wait for the traffic that they come after."""
    waiting: list[Sent] = []
    for number in count():
        first = number * AT_ONCE
        start = START + first * 1000 // EVENTS_A_SECOND
        made = binary_traffic(
            AT_ONCE, rate=EVENTS_A_SECOND, seed=seed * 100_000 + number, start=start, corrected_share=CORRECTED
        )
        waiting += [replace(record, order=record.order + first) for record in made.records]
        waiting.sort(key=lambda record: record.order)
        due = [record for record in waiting if record.order < first + AT_ONCE]
        yield from due
        del waiting[: len(due)]


def without_labels(records: Iterable[Sent]) -> Iterator[Sent]:
    """The first prediction of each id."""
    known: set[bytes] = set()
    for record in records:
        if record.topic == "predictions" and record.key not in known:
            known.add(record.key)
            yield record

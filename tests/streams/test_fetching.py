"""What was fetched comes out as aiokafka's own way gives it, whatever way it is cut."""

from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka.consumer.fetcher import READ_COMMITTED, READ_UNCOMMITTED, FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition

from streams.unpacking import Results, take

TP = TopicPartition("predictions", 0)


def batch(base: int, offsets: Sequence[int], control: bool = False) -> bytes:
    """A record batch as a broker sends it; between its records there may be gaps, as compaction leaves them."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 20)
    for place in offsets:
        builder.append(place - base, 1000 + place, None if place % 3 == 0 else b"k%d" % place, b"v%d" % place, [])
    raw = bytearray(builder.build())
    raw[0:8] = base.to_bytes(8, "big")
    if control:
        raw[21:23] = (0x20).to_bytes(2, "big")
    return bytes(raw)


class Assignment:
    """The one partition of a consumer, read from `position` on."""

    active, paused = True, False

    def __init__(self, position: int) -> None:
        self.position = position

    def state_value(self, _tp: TopicPartition) -> "Assignment":
        return self

    def consumed_to(self, position: int) -> None:
        self.position = position


def result(data: bytes, fetch_offset: int, isolation: int = READ_UNCOMMITTED, crcs: bool = False) -> FetchResult:
    records = PartitionRecords(TP, MemoryRecords(data), None, fetch_offset, None, None, crcs, isolation)
    return FetchResult(TP, assignment=Assignment(fetch_offset), partition_records=records, backoff=0)


def drained(one: FetchResult, size: int | None) -> list[Any]:
    """What each call gives, and how far the partition is read after it."""
    found = []
    for _ in range(50):
        got = one.getall(size)
        found.append(([(r.offset, r.timestamp, r.key, r.value) for r in got], one._assignment.position))
        if not one.has_more():
            return found
    raise AssertionError("it never ends")


DATA = batch(10, range(10, 15)) + batch(15, [16, 18]) + batch(20, [20], control=True) + batch(21, range(21, 27))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 12, 13, 14, None])
@pytest.mark.parametrize("fetch_offset", [10, 12, 14])
def test_the_same_records_come_as_from_aiokafka_itself(size: int | None, fetch_offset: int) -> None:
    results = Results()
    results[TP] = result(DATA, fetch_offset)
    own, theirs = drained(results[TP], size), drained(result(DATA, fetch_offset), size)
    assert [one for got, _ in own for one in got] == [one for got, _ in theirs for one in got]
    assert own[-1][1] == theirs[-1][1] == 27
    # Whole batches, of which nothing is taken twice.
    assert {position for _, position in own} <= {15, 19, 21, 27}
    assert [position for _, position in own] == sorted({position for _, position in own})


def test_what_is_taken_says_no_more_than_it_was_asked_for() -> None:
    """aiokafka counts by it how much it may still take of other partitions."""
    results = Results()
    results[TP] = result(DATA, 10)
    taken = results[TP].getall(2)
    assert (len(taken), taken.extent.last) == (2, 14)
    assert [one.offset for one in taken] == [10, 11, 12, 13, 14]


def test_a_paused_partition_gives_nothing_and_is_fetched_again() -> None:
    paused = result(DATA, 10)
    paused._assignment.paused = True
    assert list(take(paused)) == []
    assert not paused.has_more()


def test_damage_on_the_way_is_an_error_and_moves_nothing() -> None:
    damaged = bytearray(batch(10, range(10, 15)) + batch(15, range(15, 18)))
    damaged[-1] ^= 1
    results = Results()
    results[TP] = result(bytes(damaged), 10, crcs=True)
    with pytest.raises(CorruptRecordException, match="predictions"):
        results[TP].getall(None)
    assert list(results[TP].getall(None)) == []
    assert results[TP]._assignment.position == 10
    assert not results[TP].has_more()


def test_where_transactions_count_aiokafka_reads() -> None:
    results = Results()
    results[TP] = result(DATA, 10, READ_COMMITTED)
    assert "getall" not in vars(results[TP])

"""Fetched records as chunks, none of which is lost unnoticed, and what an owner began with."""

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import aiokafka
import pytest
from aiokafka.structs import ConsumerRecord, OffsetAndMetadata
from faust.transport import consumer as consumers
from faust.types import TP

from streams.chunks import ChunkConsumer, ChunkScheduler, Floors, LostRecords, check_complete
from streams.unpacking import Part, Taken


def record(offset: int, partition: int = 0) -> ConsumerRecord[Any, Any]:
    return ConsumerRecord("predictions", partition, offset, 1000 + offset, 0, None, b"{}", None, -1, 2, ())


def taken(*offsets: int, end: int | None = None) -> Taken:
    """One batch that goes to before `end`."""
    parts = [Part([record(offset) for offset in offsets], len(offsets), end or offsets[-1] + 1)] if offsets else []
    return Taken(parts)


def test_each_partition_is_one_chunk_with_the_offset_of_its_last_record() -> None:
    scheduler = ChunkScheduler()
    first, second = TP("predictions", 0), TP("predictions", 1)
    chunks = dict(scheduler.iterate({first: taken(3, 4), second: taken(7), TP("predictions", 2): taken()}))
    assert {tp: chunk.offset for tp, chunk in chunks.items()} == {first: 4, second: 7}
    records = {tp: chunk.value.records() for tp, chunk in chunks.items()}
    assert {tp: own.raw.offsets.tolist() for tp, own in records.items()} == {first: [3, 4], second: [7]}
    assert records[first].previous is None
    [(_, again)] = scheduler.iterate({first: taken(9)})
    assert again.value.records().previous == 4


def test_a_chunk_that_was_fetched_and_never_came_is_noticed() -> None:
    scheduler, tp = ChunkScheduler(), TP("predictions", 0)
    list(scheduler.iterate({tp: taken(0, 1)}))
    [(_, lost)] = scheduler.iterate({tp: taken(2)})
    [(_, next_chunk)] = scheduler.iterate({tp: taken(5)})
    assert lost.offset == 2
    with pytest.raises(LostRecords, match="offsets 2 to 4"):
        check_complete(tp, next_chunk.value.records(), 2)


def test_a_gap_in_the_log_itself_is_no_loss() -> None:
    scheduler, tp = ChunkScheduler(), TP("predictions", 0)
    list(scheduler.iterate({tp: taken(0, 1)}))
    [(_, next_chunk)] = scheduler.iterate({tp: taken(5)})
    assert check_complete(tp, next_chunk.value.records(), 2) is None


@pytest.mark.parametrize("arrives", [True, False])
def test_a_batch_that_ends_in_a_gap_is_no_loss_once_it_has_arrived(arrives: bool) -> None:
    """Compaction took offsets 2 to 4 of it: only when it is unpacked that is known."""
    scheduler, tp = ChunkScheduler(), TP("predictions", 0)
    [(_, first)] = scheduler.iterate({tp: taken(0, 1, end=5)})
    if arrives:
        assert first.value.records().raw.offsets.tolist() == [0, 1]
    [(_, second)] = scheduler.iterate({tp: taken(5)})
    records = second.value.records()
    if arrives:
        assert check_complete(tp, records, 2) is None
    else:
        with pytest.raises(LostRecords, match="offsets 2 to 4"):
            check_complete(tp, records, 2)


def test_batches_of_which_nothing_is_left_are_no_loss() -> None:
    scheduler, tp = ChunkScheduler(), TP("predictions", 0)
    fetched = [taken(0, 1), Taken([Part([], 3, 5)]), taken(5)]
    first, empty, last = [chunk.value.records() for one in fetched for _, chunk in scheduler.iterate({tp: one})]
    assert (first.previous, len(empty), last.previous) == (None, 0, 1)
    assert check_complete(tp, last, 2) is None


def test_revoked_partitions_leave_nothing_to_commit() -> None:
    floors = Floors()
    floors.safe[TP("predictions", 0)] = 8192, "17"
    floors.clear()
    assert floors.safe == {}


class Committed:
    """In place of Faust's thread: what the broker says is committed of one partition."""

    def __init__(self, tp: TP) -> None:
        self.tp, self.offset = tp, 0
        self._coordinator = self

    def _ensure_consumer(self) -> "Committed":
        return self

    async def call_thread(self, asked: Callable[..., Awaitable[Any]], *about: Any) -> Any:
        return await asked(*about)

    async def fetch_committed_offsets(self, tps: Any) -> Any:
        return {aiokafka.TopicPartition(*self.tp): OffsetAndMetadata(self.offset, "")}

    async def beginning_offsets(self, tps: Any) -> Any:
        return dict.fromkeys(tps, 0)


async def test_only_with_an_assignment_is_taken_over_what_was_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A poll that ends while partitions are revoked seeks too: what others committed since is not the owner's own."""
    tp, floors = TP("predictions", 0), Floors()
    consumer = object.__new__(ChunkConsumer)
    consumer.app, consumer._thread = SimpleNamespace(floors=floors), Committed(tp)
    consumer._committed_offset = {tp: 1}

    async def seek(self: Any) -> None:
        """What Faust does is not asked about here."""

    monkeypatch.setattr(consumers.Consumer, "perform_seek", seek)
    monkeypatch.setattr(consumers.Consumer, "resume_partitions", lambda self, tps: None)
    monkeypatch.setattr(ChunkConsumer, "stop_flow", lambda self: None)
    monkeypatch.setattr(ChunkConsumer, "assignment", lambda self: {tp})
    for committed, is_assigned, held in ((5, True, 5), (9, False, 5), (12, True, 12)):
        consumer._thread.offset = committed
        stray = consumer.perform_seek()
        if is_assigned:
            consumer.resume_partitions({tp})
            await consumer.perform_seek()
        await stray
        assert floors.committed[tp] == (held, "")

"""What is overridden of Faust is private to it: an upgrade that changes it must be read before it is taken."""

import hashlib
import inspect
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import aiokafka
import faust
import mode
import pytest
from aiokafka.structs import ConsumerRecord, OffsetAndMetadata
from faust.tables import recovery
from faust.transport import consumer as consumers
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.web.drivers.aiohttp import Web

from streams.chunks import ChunkConsumer, ChunkScheduler, Floors, LostRecords, check_complete

READ = {
    (consumers.Consumer, "_add_gap"): "4df2573ded7c1c2c",
    (consumers.Consumer, "resume_partitions"): "afe6b7c02a41d63c",
    (consumers.Consumer, "perform_seek"): "0e8c130ff4b0afd8",
    (consumers.Consumer, "_filter_tps_with_pending_acks"): "f6f9239774234e7e",
    (consumers.Consumer, "_new_offset"): "1d2c7ea89a7ad4f1",
    (consumers.Consumer, "_should_commit"): "5ce941793947ad42",
    (consumers.Consumer, "_commit_offsets"): "1a69799041188441",
    (consumers.Consumer, "getmany"): "4b168d84882a70d6",
    (consumers.Consumer, "_drain_messages"): "44a2500309e83c63",
    (consumers.ThreadDelegateConsumer, "_getmany"): "f9d47aa9010b5ff2",
    (consumers.ThreadDelegateConsumer, "_commit"): "a20eec84e4b2ed50",
    (recovery.Recovery, "_resume_streams"): "d986a6710c1aca98",
    (recovery.Recovery, "on_recovery_completed"): "6ef567acf072e46d",
    (driver.Consumer, "_to_message"): "7c24f6511b2fcef7",
    (driver.Consumer, "verify_event_path"): "a17e8f0610e1abcb",
    (driver.AIOKafkaConsumerThread, "_ensure_consumer"): "ff4a4c693b7ec63f",
    (driver.AIOKafkaConsumerThread, "getmany"): "26fc5fc9f3b667e1",
    (driver.AIOKafkaConsumerThread, "seek_to_committed"): "775ab0adc4b052ab",
    (driver.AIOKafkaConsumerThread, "seek_to_beginning"): "bd4250b8d1e76d33",
    (aiokafka.AIOKafkaConsumer, "highwater"): "044275efc968e286",
    (Web, "on_start"): "c1e60debee22697b",
    (Web, "start_server"): "b0c4f10491828520",
    (mode.Worker, "_schedule_shutdown"): "1a6a5dfc88c2298b",
    (mode.Worker, "execute_from_commandline"): "212e98f635d7a69b",
    (faust.Worker, "on_worker_shutdown"): "41a905feb7ba25ff",
}


@pytest.mark.parametrize(("owner", "name"), READ, ids=lambda value: value if isinstance(value, str) else value.__name__)
def test_what_is_overridden_or_called_is_as_it_was_read(owner: type, name: str) -> None:
    source = inspect.getsource(getattr(owner, name))
    assert hashlib.sha256(source.encode()).hexdigest()[:16] == READ[owner, name]


def record(offset: int, partition: int = 0) -> ConsumerRecord[Any, Any]:
    return ConsumerRecord("predictions", partition, offset, 1000 + offset, 0, None, b"{}", None, -1, 2, ())


def test_each_partition_is_one_chunk_with_the_offset_of_its_last_record() -> None:
    scheduler = ChunkScheduler()
    first, second = TP("predictions", 0), TP("predictions", 1)
    fetched = {first: [record(3), record(4)], second: [record(7, 1)], TP("predictions", 2): []}
    chunks = dict(scheduler.iterate(fetched))
    assert {tp: (chunk.offset, chunk.timestamp, len(chunk.value)) for tp, chunk in chunks.items()} == {
        first: (4, 1004, 2),
        second: (7, 1007, 1),
    }
    assert chunks[first].value.previous is None
    [(_, again)] = scheduler.iterate({first: [record(9)]})
    assert again.value.previous == 4


def test_a_chunk_that_was_fetched_and_never_came_is_noticed() -> None:
    scheduler, tp = ChunkScheduler(), TP("predictions", 0)
    list(scheduler.iterate({tp: [record(0), record(1)]}))
    [(_, lost)] = scheduler.iterate({tp: [record(2)]})
    [(_, next_chunk)] = scheduler.iterate({tp: [record(5)]})
    assert lost.offset == 2
    with pytest.raises(LostRecords, match="offsets 2 to 4"):
        check_complete(tp, next_chunk.value, 2)


def test_a_gap_in_the_log_itself_is_no_loss() -> None:
    scheduler, tp = ChunkScheduler(), TP("predictions", 0)
    list(scheduler.iterate({tp: [record(0), record(1)]}))
    [(_, next_chunk)] = scheduler.iterate({tp: [record(5)]})
    assert check_complete(tp, next_chunk.value, 2) is None


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

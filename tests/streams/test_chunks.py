"""What is overridden of Faust is private to it: an upgrade that changes it must be read before it is taken."""

import hashlib
import inspect
from typing import Any

import aiokafka
import faust
import mode
import pytest
from aiokafka.structs import ConsumerRecord
from faust.transport import consumer as consumers
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.web.drivers.aiohttp import Web

from streams.chunks import ChunkScheduler, Floors, LostRecords, check_complete

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

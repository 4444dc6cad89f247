"""What is used of Faust and aiokafka is private to them: an upgrade that changes it must be read before it is taken."""

import hashlib
import inspect

import faust
import mode
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from faust.tables import recovery
from faust.transport import consumer as consumers
from faust.transport.drivers import aiokafka as driver
from faust.web.drivers.aiohttp import Web
from mode.utils.queues import FlowControlQueue

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
    (AIOKafkaConsumer, "highwater"): "044275efc968e286",
    (Web, "on_start"): "c1e60debee22697b",
    (Web, "start_server"): "b0c4f10491828520",
    (mode.Worker, "_schedule_shutdown"): "1a6a5dfc88c2298b",
    (mode.Worker, "execute_from_commandline"): "212e98f635d7a69b",
    (faust.Worker, "on_worker_shutdown"): "41a905feb7ba25ff",
    (faust.App, "FlowControlQueue"): "9451c49351ae3667",
    (FlowControlQueue, "put_nowait_enhanced"): "f1839f43dda3d2cf",
    (FlowControlQueue, "in_pressure_high_state"): "3165f14880191c41",
    (FlowControlQueue, "maybe_endorse_pressure_drop"): "dafd855ef5a0f61d",
    (consumers.Consumer, "on_buffer_full"): "c8961679e0bcdce5",
    (consumers.Consumer, "on_buffer_drop"): "4b57e8a418d5ad9c",
    (FetchResult, "getall"): "3e717e30de5068d5",
    (FetchResult, "check_assignment"): "b5340df67e3f330f",
    (FetchResult, "_update_position"): "83fb1473bf10027b",
    (PartitionRecords, "__init__"): "8ec1c2ae6ea1af87",
    (PartitionRecords, "_unpack_records"): "b803e6d46480732c",
    (fetcher.Fetcher, "fetched_records"): "be4348896b9b66af",
    (fetcher.Fetcher, "_proc_fetch_request"): "59bf948fff47eed5",
    (driver.AIOKafkaConsumerThread, "_fetch_records"): "39a2c6c79fc1455a",
    (driver.Consumer, "_new_consumer_thread"): "0870ec53dea75083",
    (driver.AIOKafkaConsumerThread, "_create_worker_consumer"): "c2701bfc3e6f6cad",
    (AIOKafkaConsumer, "start"): "2f1ba70443327538",
}


@pytest.mark.parametrize(("owner", "name"), READ, ids=lambda value: value if isinstance(value, str) else value.__name__)
def test_what_is_overridden_or_called_is_as_it_was_read(owner: type, name: str) -> None:
    source = inspect.getsource(getattr(owner, name))
    assert hashlib.sha256(source.encode()).hexdigest()[:16] == READ[owner, name]

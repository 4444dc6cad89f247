"""Low-rate compacted topics read whole by every process that needs them, outside the consumer group."""

import asyncio
import logging
import time
from collections.abc import Callable

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError
from aiokafka.structs import ConsumerRecord

from app.settings import Settings
from streams.topics import topic_name

log = logging.getLogger(__name__)

# The header that says how much its writer knew.
POSITION = "position"
PATIENCE_S = 30.0
RETRY_S = 0.5


def _consumer(settings: Settings, *topics: str) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        *topics, bootstrap_servers=settings.broker, enable_auto_commit=False, auto_offset_reset="earliest"
    )


async def _started(settings: Settings) -> AIOKafkaConsumer:
    """A consumer of no topic yet. A broker that restarts is waited for, as long as sends are tried."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        consumer = _consumer(settings)
        try:
            await consumer.start()
        except KafkaConnectionError:
            await consumer.stop()
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(RETRY_S)
        else:
            return consumer


async def read_partition(settings: Settings, topic: str, partition: int) -> dict[bytes, bytes]:
    """The value of each key in one partition, up to its present end. Tombstones remove their key.

    Of a key's records the newest of those with the highest position holds: a worker that lost the partition without
    knowing it, say while it was stopped, may still write what is older than what its successor wrote.
    """
    consumer = await _started(settings)
    try:
        tp = TopicPartition(topic_name(settings, topic), partition)
        consumer.assign([tp])
        await consumer.seek_to_beginning(tp)
        end = (await consumer.end_offsets([tp]))[tp]
        newest: dict[bytes, ConsumerRecord] = {}
        while await consumer.position(tp) < end:
            for record in (await consumer.getmany(tp, timeout_ms=500)).get(tp, ()):
                known = newest.get(record.key)
                if known is None or _position(record) >= _position(known):
                    newest[record.key] = record
        return {key: record.value for key, record in newest.items() if key is not None and record.value is not None}
    finally:
        await consumer.stop()


def _position(record: ConsumerRecord) -> int:
    return next((int(value) for name, value in record.headers if name == POSITION), -1)


class Follower:
    """Reads a whole topic from its beginning and goes on as records come: each is handed to `receive`."""

    def __init__(self, settings: Settings, topic: str, receive: Callable[[bytes, bytes | None], None]) -> None:
        self.settings = settings
        self.topic = topic
        self.receive = receive
        self.caught_up = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns when everything that is there now has been received."""
        self._task = asyncio.create_task(self._follow())
        reached = asyncio.create_task(self.caught_up.wait())
        await asyncio.wait({self._task, reached}, return_when=asyncio.FIRST_COMPLETED)
        reached.cancel()
        if self._task.done():
            self._task.result()

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _follow(self) -> None:
        """Without a group the consumer takes all partitions of its topic, from the beginning."""
        consumer = _consumer(self.settings, topic_name(self.settings, self.topic))
        await consumer.start()
        try:
            ends = await consumer.end_offsets(consumer.assignment())
            while True:
                if not self.caught_up.is_set() and await _reached(consumer, ends):
                    self.caught_up.set()
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    for record in records:
                        self.receive(record.key or b"", record.value)
        finally:
            await consumer.stop()


async def _reached(consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> bool:
    return all([await consumer.position(tp) >= end for tp, end in ends.items()])

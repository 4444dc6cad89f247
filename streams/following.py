"""Low-rate compacted topics read whole by every process that needs them, outside the consumer group."""

import asyncio
from collections.abc import Callable

from aiokafka import AIOKafkaConsumer, TopicPartition

from app.settings import Settings
from streams.partitionreader import reader
from streams.topics import topic_name
from streams.unpacking import Fetched

# The header that says how much its writer knew.
POSITION = "position"


async def read_partition(settings: Settings, topic: str, partition: int) -> dict[bytes, bytes]:
    """The value of each key in one partition, up to its present end. Tombstones remove their key.

    Of a key's records the newest of those with the highest position holds: a worker that lost the partition without
    knowing it, say while it was stopped, may still write what is older than what its successor wrote.
    """
    newest: dict[bytes | None, Fetched] = {}
    async with reader(settings, partition) as source:
        async for records in source.read(topic, await source.first(topic), await source.end(topic)):
            for record in records:
                known = newest.get(record.key)
                if known is None or _position(record) >= _position(known):
                    newest[record.key] = record
    return {key: record.value for key, record in newest.items() if key is not None and record.value is not None}


def _position(record: Fetched) -> int:
    return next((int(value) for name, value in record.headers if name == POSITION and value is not None), -1)


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
        consumer = AIOKafkaConsumer(
            topic_name(self.settings, self.topic),
            bootstrap_servers=self.settings.broker,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
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

"""One partition read from one offset to another, outside the consumer group."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError

from app.settings import Settings
from streams.topics import topic_name
from streams.unpacking import Fetched, hand_on

RECORDS_A_CHUNK = 4000
PATIENCE_S = 30.0
RETRY_S = 0.5


class Reader:
    """`partition` of the topics that it is asked for. `consumer`: started, of no topic yet."""

    def __init__(self, settings: Settings, consumer: AIOKafkaConsumer, partition: int) -> None:
        self.settings, self.consumer, self.partition = settings, consumer, partition

    def place(self, topic: str) -> TopicPartition:
        return TopicPartition(topic_name(self.settings, topic), self.partition)

    async def first(self, topic: str) -> int:
        """The oldest offset that retention has left."""
        place = self.place(topic)
        return int((await self.consumer.beginning_offsets([place]))[place])

    async def end(self, topic: str) -> int:
        """One past the newest record."""
        place = self.place(topic)
        return int((await self.consumer.end_offsets([place]))[place])

    async def since(self, topic: str, time_ms: int) -> int | None:
        """The offset of the first record at or after a time of Kafka; None when there is none."""
        place = self.place(topic)
        found = (await self.consumer.offsets_for_times({place: max(time_ms, 0)}))[place]
        return None if found is None else int(found.offset)

    async def read(self, topic: str, start: int, end: int, most: int = RECORDS_A_CHUNK) -> AsyncIterator[list[Fetched]]:
        """The records from `start` to before `end` by the chunk; now and then an empty one, while nothing comes."""
        if start >= end:
            return
        place = self.place(topic)
        self.consumer.assign([place])
        self.consumer.seek(place, start)
        position = start
        while position < end:
            fetched = list((await self.consumer.getmany(place, timeout_ms=1000, max_records=most)).get(place, ()))
            yield fetched if not fetched or fetched[-1].offset < end else [one for one in fetched if one.offset < end]
            position = await self.consumer.position(place)


@asynccontextmanager
async def reader(settings: Settings, partition: int) -> AsyncIterator[Reader]:
    consumer = await _started(settings)
    try:
        hand_on(consumer)
        yield Reader(settings, consumer, partition)
    finally:
        await consumer.stop()


async def _started(settings: Settings) -> AIOKafkaConsumer:
    """A consumer of no topic yet. A broker that restarts is waited for, as long as sends are tried."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=settings.broker, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        try:
            await consumer.start()
        except KafkaConnectionError:
            await consumer.stop()
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(RETRY_S)
        else:
            return consumer

"""Traffic that keeps coming while things break, and what of it is in the topics in the end."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from types import TracebackType

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from app.settings import Settings
from streams.topicadmin import TopicAdmin
from streams.topics import topic_name
from tests.traffic import Sent

RECORDS_A_SECOND = 2500
RECORDS_AT_ONCE = 250


class Feed:
    """Sends records without an end in their order, from entering until `stop`; a broker that is away holds it up."""

    def __init__(self, settings: Settings, records: Iterator[Sent]) -> None:
        self.settings = settings
        self.records = records
        self._over = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Feed":
        self._task = asyncio.create_task(self._send())
        return self

    async def stop(self) -> None:
        """Sends no more, and waits until all is acknowledged."""
        assert self._task is not None
        self._over.set()
        await self._task

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _send(self) -> None:
        # Idempotent: what is sent again after a broker's restart keeps its place.
        producer = AIOKafkaProducer(
            bootstrap_servers=self.settings.broker, enable_idempotence=True, compression_type="lz4", linger_ms=5
        )
        await producer.start()
        try:
            while not self._over.is_set():
                await self._send_some(producer, islice(self.records, RECORDS_AT_ONCE))
        finally:
            await producer.stop()

    async def _send_some(self, producer: AIOKafkaProducer, records: Iterable[Sent]) -> None:
        pending = [
            await producer.send(topic_name(self.settings, record.topic), value=record.value, key=record.key)
            for record in records
        ]
        await asyncio.gather(*pending)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), RECORDS_AT_ONCE / RECORDS_A_SECOND)


async def produced(settings: Settings, topic: str) -> list[Sent]:
    """All records of `topic` as they lie in its partitions."""
    name = topic_name(settings, topic)
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.broker, enable_auto_commit=False)
    await consumer.start()
    try:
        count = TopicAdmin(settings.broker).facts([name])[name].partitions
        partitions = [TopicPartition(name, number) for number in range(count)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(partitions)
        found: list[Sent] = []
        while any([await consumer.position(tp) < ends[tp] for tp in partitions]):
            for tp, records in (await consumer.getmany(timeout_ms=300)).items():
                found += [Sent(r.offset, topic, tp.partition, r.key, r.value) for r in records]
        return found
    finally:
        await consumer.stop()

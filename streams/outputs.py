"""Everything that a worker sends, acknowledged by all replicas before the sender goes on."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

import orjson
from aiokafka import AIOKafkaProducer

from app.messages import Message
from app.settings import Settings
from streams.topics import topic_name

# aiokafka's lz4 is of level 9: fourteen times the CPU of zstd here, for larger records.
COMPRESSION = "zstd"
Headers = Sequence[tuple[str, bytes]]


class Copy(NamedTuple):
    """A record that is to lie in another partition too. `timestamp`: Kafka's in ms, -1 where there is none."""

    partition: int
    key: bytes | None
    value: bytes | None
    timestamp: int
    headers: Sequence[tuple[str, bytes | None]]


class Outputs:
    """A producer of JSON records. A send that fails raises: nothing is dropped, the worker stops instead."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self.settings.broker,
            acks="all",
            compression_type=COMPRESSION,
            max_batch_size=131072,
            max_request_size=8 * 1024 * 1024,
            request_timeout_ms=30000,
        )
        await self._producer.start()

    async def stop(self) -> None:
        if self._producer is not None:
            await self._producer.stop()
            self._producer = None

    @property
    def producer(self) -> AIOKafkaProducer:
        """Raises RuntimeError where it was not started, or is stopped."""
        if self._producer is None:
            raise RuntimeError("the producer was not started")
        return self._producer

    async def send(
        self, messages: Sequence[Message], partition: int | None = None, headers: Headers = ()
    ) -> list[tuple[int, int]]:
        """Sends all and waits for each acknowledgement: (partition, offset) of each. `partition`: for all of them."""
        return await self.send_raw(
            [
                (message.topic, message.key.encode(), orjson.dumps(message.value, option=orjson.OPT_SERIALIZE_NUMPY))
                for message in messages
            ],
            partition,
            headers,
        )

    async def send_raw(
        self,
        records: Sequence[tuple[str, bytes | None, bytes | None]],
        partition: int | None = None,
        headers: Headers = (),
    ) -> list[tuple[int, int]]:
        """(topic, key, value) each; the topic named as in the contract. A value of None is a tombstone.

        `headers`: of each of them.
        """
        pending = [
            await self.producer.send(
                topic_name(self.settings, topic), value=value, key=key, partition=partition, headers=headers
            )
            for topic, key, value in records
        ]
        return [(sent.partition, sent.offset) for sent in await asyncio.gather(*pending)]

    async def send_copies(self, topic: str, copies: Sequence[Copy]) -> None:
        """Sends each as it is to its partition of `topic`, and waits for each acknowledgement."""
        name = topic_name(self.settings, topic)
        pending = [
            await self.producer.send(
                name,
                value=copy.value,
                key=copy.key,
                partition=copy.partition,
                timestamp_ms=copy.timestamp if copy.timestamp >= 0 else None,
                headers=copy.headers,
            )
            for copy in copies
        ]
        await asyncio.gather(*pending)

    async def send_to_all(self, topic: str, value: bytes, partitions: int) -> None:
        """One record into each of the topic's partitions."""
        name = topic_name(self.settings, topic)
        await asyncio.gather(
            *[await self.producer.send(name, value=value, key=b"", partition=number) for number in range(partitions)]
        )

"""Faust's thread that reads from the broker: what it fetched comes without a Python object for each record."""

from typing import Any

from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

from streams.unpacking import hand_on

# The broker answers when there is so much, or so long after it was asked: a chunk costs some milliseconds however few
# its records are, which at 5,000 events a second was more than the events themselves.
FETCH_BYTES = 512 * 1024
FETCH_WAIT_MS = 150


class FetchThread(AIOKafkaConsumerThread):
    """The thread that reads from the broker."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_min_bytes, consumer._fetch_max_wait_ms = FETCH_BYTES, FETCH_WAIT_MS
        return consumer

    async def _fetch_records(self, consumer: Any, *args: Any, **kwargs: Any) -> Any:
        hand_on(consumer)
        return await super()._fetch_records(consumer, *args, **kwargs)

"""Faust's thread that reads from the broker: what it fetched comes without a Python object for each record."""

from typing import Any

from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

from streams.unpacking import hand_on


class FetchThread(AIOKafkaConsumerThread):
    """The thread that reads from the broker."""

    async def _fetch_records(self, consumer: Any, *args: Any, **kwargs: Any) -> Any:
        hand_on(consumer)
        return await super()._fetch_records(consumer, *args, **kwargs)

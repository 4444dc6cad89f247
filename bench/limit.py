"""The limit: aiokafka reads, orjson decodes, and nothing else is done."""

import asyncio
import sys

import orjson
from aiokafka import AIOKafkaConsumer

from streams.app import RECORDS_A_POLL
from streams.collector import tune_collector

DONE = "done"


async def read(broker: str, topic: str, group: str, count: int) -> None:
    """Decodes `count` records, says so, and waits to be ended."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=broker, group_id=group, auto_offset_reset="earliest")
    tune_collector()
    await consumer.start()
    try:
        while count > 0:
            for records in (await consumer.getmany(timeout_ms=1000, max_records=RECORDS_A_POLL)).values():
                for record in records:
                    orjson.loads(record.value)
                count -= len(records)
        print(DONE, flush=True)
        await asyncio.Event().wait()
    finally:
        await consumer.stop()


if __name__ == "__main__":
    broker, topic, group, count = sys.argv[1:]
    asyncio.run(read(broker, topic, group, int(count)))

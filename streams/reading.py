"""Reads what is in a topic now, from offset to offset, without a group."""

from collections.abc import AsyncIterator, Mapping

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

Ranges = Mapping[int, tuple[int, int]]


async def read(broker: str, topic: str, ranges: Ranges | None = None) -> AsyncIterator[ConsumerRecord]:
    """The records of `topic` between the offsets (first, one past the last) of each partition; None: all there are.

    What retention has taken already is not there; nor is a partition that the topic does not have.
    """
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=broker, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        ends = await _seek(consumer, ranges)
        while ends:
            fetched = await consumer.getmany(*ends, timeout_ms=1000, max_records=1000)
            for partition, records in fetched.items():
                for record in records:
                    if record.offset < ends[partition]:
                        yield record
            ends = {place: end for place, end in ends.items() if await consumer.position(place) < end}
    finally:
        await consumer.stop()


async def _seek(consumer: AIOKafkaConsumer, ranges: Ranges | None) -> dict[TopicPartition, int]:
    """Puts the consumer at the beginnings; where each partition's reading ends, without those with nothing to read."""
    places = sorted(consumer.assignment())
    firsts, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
    wanted = {}
    for place in places:
        first, end = ranges.get(place.partition, (0, 0)) if ranges is not None else (0, ends[place])
        first, end = max(first, firsts[place]), min(end, ends[place])
        if first < end:
            consumer.seek(place, first)
            wanted[place] = end
    return wanted

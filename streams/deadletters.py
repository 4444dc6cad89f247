"""The topic `dead-letters`, read from end to end."""

from collections.abc import AsyncIterator, Callable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition

from app.letters.deadletters import Ledger, Letter, Survey, read_letter
from app.letters.mending import KEYS
from app.settings import Settings
from streams.reading import Ranges, read
from streams.topicadmin import BrokerError, TopicAdmin
from streams.topics import plans, topic_name

TOPIC = "dead-letters"
Advanced = Callable[[int], None]


def partition_counts(settings: Settings) -> Mapping[str, int]:
    """How many partitions `dead-letters` has, and each topic that letters can go back to. Raises BrokerError."""
    planned = [plan for plan in plans(settings) if plan.logical in (TOPIC, *KEYS)]
    admin = TopicAdmin(settings.broker)
    if admin.is_embedded():
        admin.create(planned)
    facts = admin.facts(plan.name for plan in planned)
    if absent := [plan.name for plan in planned if plan.name not in facts]:
        raise BrokerError(f"no topic {' and no topic '.join(absent)} on {settings.broker}: inferwatch topics create")
    return {plan.logical: facts[plan.name].partitions for plan in planned}


async def extent(settings: Settings, topic: str, partitions: int) -> Ranges:
    """From where to where each partition of the topic has records now."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.broker)
    await consumer.start()
    try:
        places = [TopicPartition(topic_name(settings, topic), number) for number in range(partitions)]
        firsts, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        return {place.partition: (firsts[place], ends[place]) for place in places}
    finally:
        await consumer.stop()


def size(ranges: Ranges) -> int:
    """Offsets within the ranges."""
    return sum(end - first for first, end in ranges.values())


async def letters(settings: Settings, ranges: Ranges, advanced: Advanced) -> AsyncIterator[Letter | None]:
    """Each record of `dead-letters` within the ranges; None where it is no letter."""
    async for record in read(settings.broker, topic_name(settings, TOPIC), ranges):
        yield read_letter(record.partition, record.offset, record.timestamp, record.value)
        advanced(1)


async def take_stock(settings: Settings, ranges: Ranges, stock: Ledger | Survey, advanced: Advanced) -> None:
    """Adds to `stock` what there is within the ranges."""
    async for letter in letters(settings, ranges, advanced):
        stock.add(letter)


async def letter_at(settings: Settings, partition: int, offset: int) -> Letter | None:
    """The letter at one place of `dead-letters`; None where none is."""
    async for letter in letters(settings, {partition: (offset, offset + 1)}, lambda _: None):
        return letter
    return None

"""The topic `baselines` from the outside, and the periods of the stream that baselines are fitted from."""

from collections import defaultdict
from collections.abc import Callable, Mapping

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from app.drift.baseline import Baseline
from app.drift.timeline import NOTHING, Timeline, next_edge
from app.files.period_rows import PeriodRows
from app.identity import version_key
from app.messages import Message
from app.settings import Settings
from streams.outputs import Outputs
from streams.reading import Ranges, read
from streams.records import Records
from streams.topicadmin import BrokerError, TopicAdmin
from streams.topics import plans, topic_name

Advanced = Callable[[int], None]
Versions = dict[tuple[str, str], Timeline]

NEEDED = ("baselines", "predictions", "examples")
RECORDS_A_CHUNK = 2000
# The newest records of each partition that are asked how far event time is.
NEWEST = 500


def prepare(settings: Settings) -> None:
    """Checks that the broker has the topics that are read and written here. Raises BrokerError."""
    planned = [plan for plan in plans(settings) if plan.logical in NEEDED]
    admin = TopicAdmin(settings.broker)
    if admin.is_embedded():
        admin.create(planned)
    facts = admin.facts(plan.name for plan in planned)
    if absent := [plan.name for plan in planned if plan.name not in facts]:
        raise BrokerError(f"no topic {' and no topic '.join(absent)} on {settings.broker}: inferwatch topics create")


async def read_baselines(settings: Settings) -> Versions:
    """The baselines of each (model, version). A record that is none is left out."""
    found: Versions = {}
    async for record in read(settings.broker, topic_name(settings, "baselines")):
        try:
            baseline = Baseline.from_record(orjson.loads(record.value or b"null"))
        except (ValueError, KeyError, TypeError):
            continue
        key = baseline.model, baseline.version
        found[key] = found.get(key, NOTHING).heard(baseline)
    return found


async def publish(settings: Settings, baseline: Baseline) -> None:
    outputs = Outputs(settings)
    await outputs.start()
    try:
        await outputs.send([Message("baselines", version_key(baseline.model, baseline.version), baseline.to_record())])
    finally:
        await outputs.stop()


async def extent(settings: Settings, topic: str, since_ms: int) -> Ranges:
    """From where to where each partition has records that Kafka had at `since_ms` or later."""
    consumer = AIOKafkaConsumer(topic_name(settings, topic), bootstrap_servers=settings.broker)
    await consumer.start()
    try:
        places = sorted(consumer.assignment())
        firsts, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        if TopicAdmin(settings.broker).is_embedded():  # it does not look up times
            return {place.partition: (firsts[place], ends[place]) for place in places}
        found = await consumer.offsets_for_times(dict.fromkeys(places, max(since_ms, 0)))
        return {place.partition: (_first(found, place, ends[place]), ends[place]) for place in places}
    finally:
        await consumer.stop()


async def newest(settings: Settings) -> Ranges:
    """The last records of each partition of `predictions`."""
    ranges = await extent(settings, "predictions", 0)
    return {number: (max(first, end - NEWEST), end) for number, (first, end) in ranges.items()}


def size(*ranges: Ranges) -> int:
    """Offsets within the ranges."""
    return sum(end - first for own in ranges for first, end in own.values())


async def read_predictions(settings: Settings, ranges: Ranges, rows: PeriodRows, advanced: Advanced) -> None:
    """Takes in what `predictions` has within the ranges."""
    waiting: dict[int, list[ConsumerRecord]] = defaultdict(list)
    async for record in read(settings.broker, topic_name(settings, "predictions"), ranges):
        own = waiting[record.partition]
        own.append(record)
        if len(own) == RECORDS_A_CHUNK:
            rows.predictions(Records.of(own).raw)
            own.clear()
        advanced(1)
    for _, own in sorted(waiting.items()):
        if own:
            rows.predictions(Records.of(own).raw)


async def read_examples(settings: Settings, ranges: Ranges, rows: PeriodRows, advanced: Advanced) -> None:
    """Takes in the labels that `examples` has within the ranges."""
    async for record in read(settings.broker, topic_name(settings, "examples"), ranges):
        rows.example(orjson.loads(record.value))
        advanced(1)


async def edge_ahead(settings: Settings, model: str, version: str, now_ms: int) -> int:
    """The edge of a window that the version's events have not reached yet: by its newest one, else by the clock."""
    rows = PeriodRows(settings, model, version, 0, 0)
    await read_predictions(settings, await newest(settings), rows, lambda _: None)
    return next_edge(now_ms if rows.newest is None else rows.newest, settings.windows)


def _first(found: Mapping[TopicPartition, object], place: TopicPartition, end: int) -> int:
    return int(getattr(found[place], "offset", end))

"""Whether the newest records of `predictions` and `labels` lie in the partitions of their keys."""

import asyncio
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

import numpy as np
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError

from app.settings import Settings
from app.sources.partitioning import elsewhere
from streams.misrouted import REMEDY, TOPICS, joined_rows, meanwhile
from streams.reading import Ranges, read
from streams.records import Records
from streams.topicadmin import TopicAdmin
from streams.topics import topic_name

# The newest of each topic, in equal shares of its partitions: a few seconds' reading at most.
NEWEST = 2000
KEYS = "Give each record a key: the prediction_id, or a batch's own, the same for its predictions and its labels"


@dataclass(slots=True)
class Placement:
    """The newest records of `topic`. `joined`: those that a join is for; of these are `misrouted` and `keyless`.

    `example`: (partition, offset) of the newest that is misrouted.
    """

    topic: str
    records: int = 0
    joined: int = 0
    misrouted: int = 0
    keyless: int = 0
    example: tuple[int, int] | None = None

    def told(self) -> str:
        """In words, as one line."""
        if not self.joined:
            return "no records yet" if not self.records else f"none of the newest {self.records:,} is to be joined"
        newest, faults = f"the newest {self.joined:,}", []
        if self.misrouted and self.example:
            where = f"partition {self.example[0]}, offset {self.example[1]}"
            faults.append(
                f"{self.misrouted:,} of {newest} lie in another partition than their key's (the latest: {where})"
            )
        if self.keyless:
            faults.append(f"{self.keyless:,} of {newest} have no key, and lie anywhere")
        return "; ".join(faults) or f"{newest} all lie in the partition of their key"


async def look(settings: Settings) -> list[Placement] | None:
    """Of each topic that is there, in its order; None where no Kafka answers."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.broker, enable_auto_commit=False)
    try:
        await consumer.start()
        names = {topic_name(settings, topic): topic for topic in TOPICS}
        facts = await asyncio.to_thread(TopicAdmin(settings.broker).facts, names)
        return [
            await _placement(names[name], settings, await _newest(consumer, name, fact.partitions))
            for name, fact in facts.items()
        ]
    except KafkaConnectionError:
        return None
    finally:
        await consumer.stop()


async def _newest(consumer: AIOKafkaConsumer, topic: str, partitions: int) -> Ranges:
    """(first, one past the last) of each partition."""
    places = [TopicPartition(topic, number) for number in range(partitions)]
    share = max(NEWEST // partitions, 1)
    return {place.partition: (end - share, end) for place, end in (await consumer.end_offsets(places)).items()}


async def _placement(topic: str, settings: Settings, ranges: Ranges) -> Placement:
    found = Placement(topic)
    records = [one async for one in read(settings.broker, topic_name(settings, topic), ranges)]
    newest = -1
    for partition, group in groupby(sorted(records, key=attrgetter("partition", "offset")), attrgetter("partition")):
        raw = Records.of(group).raw
        joined = np.isin(raw.offsets, joined_rows(topic, raw, settings).offsets)
        places, _ = elsewhere(raw.keys, partition, len(ranges))
        wrong = places[joined[places]]
        found.records += len(raw)
        found.joined += int(joined.sum())
        found.misrouted += len(wrong)
        found.keyless += sum(key is None for key, one in zip(raw.keys, joined.tolist(), strict=True) if one)
        if len(wrong) and raw.timestamps[wrong[-1]] > newest:
            newest = int(raw.timestamps[wrong[-1]])
            found.example = partition, int(raw.offsets[wrong[-1]])
    if len(ranges) == 1:
        found.keyless = 0  # there is nowhere else to lie
    return found


def remedies(placements: list[Placement], settings: Settings) -> list[str]:
    """What to do about all of it, a sentence or two each; nothing where all is well."""
    told = []
    if any(one.misrouted for one in placements):
        told.append(f"{REMEDY}. {meanwhile(settings)}.")
    if any(one.keyless for one in placements):
        told.append(f"{KEYS}.")
    return told


def is_fault(placements: list[Placement], settings: Settings) -> bool:
    """Whether labels and predictions can miss each other. What workers send on does not."""
    return any(one.keyless or (one.misrouted and not settings.labels.forward_misrouted) for one in placements)

"""Dead letters sent again, each once, also when the sender is killed on the way.

For some letters at a time: a note beside each letter says from where on its record will be in the source topic
(`replaying`), the records are sent with the header `dead-letter`, a note says where each of them is (`replayed`). Each
step is acknowledged before the next begins. What was begun and not ended is looked for by its header before anything
is sent.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer

from app.letters.deadletters import REPLAYED, REPLAYING, Ledger, Letter, Place, note
from app.letters.mending import Mended, Transform, mend
from app.settings import Settings
from streams.deadletters import TOPIC, Advanced, extent, letters
from streams.outputs import COMPRESSION
from streams.reading import Ranges, read
from streams.topics import topic_name

# Of a record that was sent again: the place of the record that could not be used, as topic/partition/offset.
HEADER = "dead-letter"
# Letters that are noted, sent and noted together.
TOGETHER = 500
SHOWN_RECORDS = 10


@dataclass(slots=True)
class Done:
    """`sent`: by topic; `left`: letters not sent, by why; `found`: those that an interrupted replay had sent already;
    `first`: the first records."""

    sent: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    found: int = 0
    first: list[Mended] = field(default_factory=list)


class Redelivery:
    """Sends the open letters of a ledger, in the order in which they lie in `dead-letters`.

    `dry`: writes nothing, and `done` says what would be sent.
    """

    def __init__(
        self, settings: Settings, partitions: Mapping[str, int], ledger: Ledger, transform: Transform | None, dry: bool
    ) -> None:
        self.settings = settings
        self.done = Done()
        self._partitions = partitions
        self._ledger = ledger
        self._transform = transform
        self._dry = dry
        self._producer = None if dry else _producer(settings)
        self._ends: dict[str, dict[int, int]] = {}

    async def run(self, ranges: Ranges, advanced: Advanced) -> None:
        """`ranges`: what the ledger was read from. Raises TransformError; what was sent before that is noted."""
        if self._producer is None:
            await self._replay(ranges, advanced)
            return
        await self._producer.start()
        try:
            await self._replay(ranges, advanced)
        finally:
            await self._producer.stop()

    async def _replay(self, ranges: Ranges, advanced: Advanced) -> None:
        there = await self._sent_before()
        names = {place: known.name for place, known in self._ledger.open().items()}
        waiting: dict[str, list[Letter]] = defaultdict(list)
        async for letter in letters(self.settings, ranges, advanced):
            if letter is None or names.get(letter.about) != letter.name:
                continue
            if letter.about in there:
                self.done.found += 1
                await self._note([(letter, REPLAYED, there[letter.about])])
                continue
            together = waiting[letter.event.topic]
            together.append(letter)
            if len(together) == TOGETHER:
                await self._redeliver(together)
                together.clear()
        for together in waiting.values():
            if together:
                await self._redeliver(together)

    async def _sent_before(self) -> dict[Place, Place]:
        """Where the records of an interrupted replay are, by what their letter is about."""
        wanted = self._ledger.interrupted()
        firsts: dict[str, dict[int, int]] = defaultdict(dict)
        for topic, partition, offset in wanted.values():
            firsts[topic][partition] = min(offset, firsts[topic].get(partition, offset))
        found: dict[Place, Place] = {}
        for topic, starts in firsts.items():
            whole = await extent(self.settings, topic, self._partitions[topic])
            ranges = {partition: (first, whole[partition][1]) for partition, first in starts.items()}
            async for record in read(self.settings.broker, topic_name(self.settings, topic), ranges):
                for name, value in record.headers:
                    if name == HEADER and (about := Place.parse(value.decode())) in wanted:
                        found[about] = Place(topic, record.partition, record.offset)
        return found

    async def _redeliver(self, together: Sequence[Letter]) -> None:
        """Letters about one topic."""
        topic = together[0].event.topic
        now_ms = time.time_ns() // 1_000_000
        mended, left = mend(together, self._transform, self.settings, self._partitions.get(topic, 1), now_ms)
        self.done.left.update(one.why for one in left)
        self.done.first += mended[: SHOWN_RECORDS - len(self.done.first)]
        if mended and not self._dry:
            await self._send(topic, mended)
        self.done.sent[topic] += len(mended)

    async def _send(self, topic: str, mended: Sequence[Mended]) -> None:
        ends = await self._end_offsets(topic)
        await self._note((one.letter, REPLAYING, Place(topic, one.partition, ends[one.partition])) for one in mended)
        places = await self._acknowledged([_record(self.settings, topic, one) for one in mended])
        there = [Place(topic, partition, offset) for partition, offset in places]
        await self._note((one.letter, REPLAYED, place) for one, place in zip(mended, there, strict=True))
        ends |= {place.partition: place.offset for place in there}

    async def _end_offsets(self, topic: str) -> dict[int, int]:
        """Of each partition an offset that what is sent from now on comes after."""
        if topic not in self._ends:
            whole = await extent(self.settings, topic, self._partitions[topic])
            self._ends[topic] = {partition: end for partition, (_, end) in whole.items()}
        return self._ends[topic]

    async def _note(self, notes: Iterable[tuple[Letter, str, Place]]) -> None:
        """In the partition of the letter: whoever has read that comes to the note after it."""
        name = topic_name(self.settings, TOPIC)
        await self._acknowledged(
            [
                {
                    "topic": name,
                    "key": letter.event.topic.encode(),
                    "partition": letter.partition,
                    "value": orjson.dumps(note(letter, reason, place)),
                }
                for letter, reason, place in notes
            ]
        )

    async def _acknowledged(self, records: Sequence[dict[str, Any]]) -> list[tuple[int, int]]:
        """(partition, offset) of each. With `dry` nothing is sent."""
        if self._producer is None:
            return []
        pending = [await self._producer.send(**record) for record in records]
        return [(sent.partition, sent.offset) for sent in await asyncio.gather(*pending)]


def _producer(settings: Settings) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        bootstrap_servers=settings.broker,
        enable_idempotence=True,  # a retry neither doubles nor reorders
        compression_type=COMPRESSION,
        max_request_size=8 * 1024 * 1024,
    )


def _record(settings: Settings, topic: str, mended: Mended) -> dict[str, Any]:
    return {
        "topic": topic_name(settings, topic),
        "key": mended.key,
        "partition": mended.partition,
        "value": mended.value,
        "headers": [(HEADER, str(mended.letter.about).encode())],
    }

"""Owners of one partition of predictions and labels, with what they count, tell and commit, in this process."""

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from aiokafka import ConsumerRecord
from faust.types import TP

from app.drift.timeline import NOTHING
from app.joining.told import SIDES
from app.messages import Message
from app.settings import Settings
from streams.assignment import Assignment
from streams.chunks import Floors
from streams.ingest import Ingest
from streams.outputs import Outputs
from streams.reading import read
from streams.records import Records
from streams.sources import Source
from streams.ticks import encoded
from streams.topics import partition_counts, topic_name
from tests.traffic import START, Sent


def settings_on(settings: Settings, disk: str) -> Settings:
    return settings.model_copy(update={"data_dir": Path(settings.data_dir) / disk})


class Killed(Exception):
    """Between two messages."""


class Mortal(Outputs):
    """Sends until `left` messages are sent; then it is killed."""

    left = 1 << 60

    async def send(self, messages: Sequence[Message], *args: Any) -> list[tuple[int, int]]:
        sent = await super().send(messages[: self.left], *args)
        self._spend(len(messages))
        return sent

    async def send_to_all(self, topic: str, value: bytes, partitions: int) -> None:
        self._spend(1)
        await super().send_to_all(topic, value, partitions)

    def _spend(self, messages: int) -> None:
        self.left -= messages
        if self.left < 0:
            raise Killed


class Log:
    """Partition 0 of both sides as it lies on the broker, and what was committed of it."""

    def __init__(self, records: Sequence[Sent]) -> None:
        self.sent = [record for record in records if record.partition == 0]
        self.records: dict[str, list[ConsumerRecord]] = {}
        self.committed: dict[TP, tuple[int, str]] = {}

    async def produce(self, outputs: Outputs) -> None:
        settings = outputs.settings
        for record in self.sent:
            name = topic_name(settings, record.topic)
            await outputs.producer.send(name, value=record.value, key=record.key, partition=0)
        await outputs.producer.flush()
        for topic in SIDES:
            self.records[topic] = [record async for record in read(settings.broker, topic_name(settings, topic))]


class Owner:
    """Partition 0 as it was assigned anew. `disk`: where its stores are.

    `commits`: until it has lost the partition, and the group takes its commits no longer.
    """

    commits = True

    def __init__(self, log: Log, settings: Settings, disk: str, outputs: Mortal) -> None:
        self.log, self.outputs, self.disk = log, outputs, disk
        self.settings = settings_on(settings, disk)
        floors = Floors()
        floors.committed = dict(log.committed)
        self.assignment = Assignment(self.settings, floors, now=lambda: START / 1000)
        self.ingest = Ingest(
            self.settings,
            outputs,
            self.assignment,
            partition_counts(Settings()),
            lambda name, at: at < len(log.records[name[0]]),
        )

    def begin(self) -> None:
        """As a worker does: the epochs are committed first."""
        for topic in SIDES:
            name, first = (topic, 0), self.assignment.floor((topic, 0))
            self.log.committed[self.assignment.tp(name)] = self.assignment.claim(name)
            self.ingest.begin(name, 1, first, lambda model, version: NOTHING)

    def source(self, topic: str) -> Source:
        return self.ingest.sources[topic, 0]

    async def count(self, topic: str, most: int) -> None:
        source = self.source(topic)
        records = Records.of(self.log.records[topic][source.next : source.next + most])
        for piece in source.pieces(records) if records else ():
            await self.ingest.chunk(source, piece)

    async def tick(self) -> None:
        """What was counted is sent, and then how far that goes."""
        for source in self.ingest.sources.values():
            await self.ingest.flush(source)
        told = [(source.name, source.published) for source in self.ingest.sources.values()]
        lines = [[*name, published.position, published.mark.watermark, False] for name, published in told]
        epochs = {name: published.mark.epoch for name, published in told}
        await self.outputs.send_to_all("panes", encoded(lines, epochs, dict.fromkeys(SIDES, 1)), 4)

    def commit(self) -> None:
        for source in self.ingest.sources.values():
            self.log.committed[self.assignment.tp(source.name)] = source.floor()

    async def finish(self) -> None:
        for topic in SIDES:
            await self.count(topic, len(self.log.records[topic]))
        await self.tick()
        self.ingest.forget()

    async def live(self, random: Random, steps: int) -> None:
        """Counts a little of this and of that, tells it or not, commits it or not."""
        for _ in range(steps):
            await self.count(random.choice(list(SIDES)), random.randint(1, 250))
            if random.random() < 0.4:
                await self.tick()
            if random.random() < 0.15 and self.commits:
                self.commit()

"""A join's store that is not there, or is behind: made anew from the source topics.

Below the commits predictions and labels are put beside each other, and nothing counts. What lies above them is read
again, and each pair must be completed by the same record as before, or it would count in two places. Which record that
was stands in the examples. So of what lies above the commits the store gets what was told to be counted already, and
those records that came first then.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from app.chunks import RawChunk
from app.decode import PredictionDecoder
from app.join import Join, Side
from app.joining import Wanted, join_labels, join_predictions
from app.label_rows import decode_labels
from app.settings import Settings
from app.watermarks import earlier_maximum
from streams.joins import JoinStore
from streams.raw import raw_chunk
from streams.topics import topic_name

log = logging.getLogger(__name__)

RECORDS_A_CHUNK = 4000
TOLD_EVERY_S = 10.0
# The clocks of the brokers that dated examples and labels may differ by so much.
CLOCKS_MS = 60_000
SIDES = {"predictions": Side.PREDICTION, "labels": Side.LABEL}


class NoLongerOurs(Exception):
    """The partition was revoked meanwhile. Its next owner begins anew."""


@dataclass(slots=True)
class Progress:
    """`done` of `total` records of both topics."""

    partition: int
    done: int = 0
    total: int = 0

    def __str__(self) -> str:
        share = f"{self.done / self.total:.0%}" if self.total else "0%"
        return f"the join's store of partition {self.partition} is made anew ({share} of {self.total} records)"


def is_behind(store: JoinStore, floors: Mapping[str, int]) -> bool:
    """Whether the store lacks what lies below the commits `floors` (topic -> offset), or knows nothing at all.

    An empty one where nothing was committed yet may still be a lost one, of which there are examples.
    """
    reached = {topic: store.next_offset(topic) for topic in floors}
    empty = all(offset is None for offset in reached.values())
    return empty or store.unfinished or any((reached[topic] or 0) < floor for topic, floor in floors.items())


class Rebuild:
    """One partition. `ours()`: whether it still is; asked between chunks."""

    def __init__(
        self,
        settings: Settings,
        store: JoinStore,
        floors: Mapping[str, int],
        progress: Progress,
        ours: Callable[[], bool],
    ) -> None:
        self.settings, self.store, self.floors, self.progress, self.ours = settings, store, floors, progress, ours
        self._join = Join(store, settings.labels.horizon_ms)
        self._decoder = PredictionDecoder(settings)
        self._watermarks: dict[str, int | None] = {}
        self._reached = dict(floors)
        """Everything below was told to be counted, if not yet committed."""
        self._sides: dict[str, dict[int, Side]] = defaultdict(dict)
        """Of the pairs of late: id -> time of the label (ms) -> the side with whose record it counted."""
        self._told = time.monotonic()

    async def run(self) -> None:
        """Raises NoLongerOurs; what was done until then is gone on with by whoever opens the store next."""
        self.store.unfinished = True
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.settings.broker,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        await consumer.start()
        try:
            places = {topic: self._place(topic) for topic in (*SIDES, "examples", "panes")}
            consumer.assign(list(places.values()))
            ends = await consumer.end_offsets(list(places.values()))
            # A topic that was made anew may end before what was committed of the old one.
            self.floors = {topic: min(floor, ends[places[topic]]) for topic, floor in self.floors.items()}
            starts = {topic: await self._start(consumer, places[topic], topic) for topic in SIDES}
            self.progress.total = sum(max(self.floors[topic] - start, 0) for topic, start in starts.items())
            if self.progress.total:
                log.info("From here on %s", self.progress)
            await self._read_told(consumer, places, ends)
            for topic, start in starts.items():
                await self._read(consumer, places[topic], topic, start, ends[places[topic]])
            self._join.completed(self._sides)
            for topic in SIDES:
                self._write(topic, self.floors[topic])
        finally:
            await consumer.stop()
        self.store.unfinished = False
        if self.progress.total:
            log.info("Partition %d: the join's store is complete again", self.progress.partition)

    def _place(self, topic: str) -> TopicPartition:
        return TopicPartition(topic_name(self.settings, topic), self.progress.partition)

    async def _start(self, consumer: AIOKafkaConsumer, place: TopicPartition, topic: str) -> int:
        """Where the store ends, or a horizon ago; never before what retention has left."""
        known = self.store.next_offset(topic)
        first: int = (await consumer.beginning_offsets([place]))[place]
        if known is None:
            since = round(time.time() * 1000) - self.settings.labels.horizon_ms
            found = (await consumer.offsets_for_times({place: max(since, 0)}))[place]
            known = self.floors[topic] if found is None else found.offset
        return max(known, first)

    async def _read(self, consumer: AIOKafkaConsumer, place: TopicPartition, topic: str, start: int, end: int) -> None:
        """Up to what was told, and on to the end if some of what lies there came before its other side."""
        floor, reached = self.floors[topic], min(self._reached[topic], end)
        others = {identity for identity, by_time in self._sides.items() if {*by_time.values()} - {SIDES[topic]}}
        position, stop = start, end if others else max(floor, reached)
        if position < stop:
            consumer.seek(place, position)
        while position < stop:
            records = (await consumer.getmany(place, timeout_ms=1000, max_records=RECORDS_A_CHUNK)).get(place, [])
            if not self.ours():
                raise NoLongerOurs
            kept = [record for record in records if record.offset < stop]
            if kept:
                self._put(topic, raw_chunk(kept), Wanted(max(floor, reached), others))
            self.progress.done = min(self.progress.done + len(kept), self.progress.total)
            position = await consumer.position(place)
            self._tell()
        self._write(topic, floor)

    def _put(self, topic: str, raw: RawChunk, wanted: Wanted) -> None:
        before = self._watermarks.get(topic)
        if topic == "predictions":
            decoded = self._decoder.decode(raw)
            times, watermarks = decoded.times, earlier_maximum(decoded.times, decoded.offsets, before)
            join_predictions(self._join, decoded, watermarks, self.settings, wanted)
        else:
            labels = decode_labels(raw, self.settings.windows.max_ahead_ms)
            times, watermarks = labels.times, earlier_maximum(labels.times, labels.offsets, before)
            join_labels(self._join, labels, watermarks, wanted)
        if len(times):
            self._watermarks[topic] = max(int(times.max()), before if before is not None else int(times.max()))
        self._write(topic, min(int(raw.offsets[-1]) + 1, self.floors[topic]))

    def _write(self, topic: str, next_offset: int) -> None:
        """What was put; the store may be further already."""
        self.store.write(topic, max(next_offset, self.store.next_offset(topic) or 0), self._watermarks.get(topic))

    async def _read_told(
        self,
        consumer: AIOKafkaConsumer,
        places: Mapping[str, TopicPartition],
        ends: Mapping[TopicPartition, int],
    ) -> None:
        """What was told of the records that are read again: examples and ticks since the first of them came."""
        again = [topic for topic in SIDES if self.floors[topic] < ends[places[topic]]]
        times = [await _time_at(consumer, places[topic], self.floors[topic]) for topic in again]
        if not times:
            return
        since = max(min(times) - CLOCKS_MS, 0)
        for topic, note in (("examples", self._note), ("panes", self._note_tick)):
            place = places[topic]
            found = (await consumer.offsets_for_times({place: since}))[place]
            if found is None:
                continue
            consumer.seek(place, found.offset)
            while await consumer.position(place) < ends[place]:
                for record in (await consumer.getmany(place, timeout_ms=1000)).get(place, []):
                    note(record.value)
                if not self.ours():
                    raise NoLongerOurs

    def _note(self, value: bytes) -> None:
        example: dict[str, Any] = orjson.loads(value)
        columns = example["prediction_ids"], example["label_timestamps"], example["completed_by"]
        for identity, time_ms, (topic, _) in zip(*columns, strict=True):
            self._sides[identity][time_ms] = SIDES[topic]

    def _note_tick(self, value: bytes) -> None:
        """Panes may have closed on the word that all below a position was counted: that must be so again."""
        if value.startswith(b'{"tick"'):
            for topic, partition, position, *_ in orjson.loads(value)["tick"]["sources"]:
                if topic in SIDES and partition == self.progress.partition:
                    self._reached[topic] = max(self._reached[topic], position)

    def _tell(self) -> None:
        if time.monotonic() - self._told > TOLD_EVERY_S:
            self._told = time.monotonic()
            log.info("Still %s", self.progress)


async def _time_at(consumer: AIOKafkaConsumer, place: TopicPartition, offset: int) -> int:
    """Kafka's time (ms) of the first record at or after `offset`, which is there."""
    consumer.seek(place, offset)
    while True:
        records = (await consumer.getmany(place, timeout_ms=1000, max_records=1)).get(place, [])
        if records:
            return int(records[0].timestamp)

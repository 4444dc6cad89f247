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

from app.chunks import RawChunk
from app.decode import PredictionDecoder
from app.fences import Fences
from app.join import Join, Side
from app.joining import Wanted, join_labels, join_predictions
from app.label_rows import decode_labels
from app.marks import later
from app.settings import Settings
from app.watermarks import earlier_maximum
from streams.joins import JoinStore
from streams.partitionreader import Reader, reader
from streams.raw import raw_chunk
from streams.unpacking import Fetched

log = logging.getLogger(__name__)

TOLD_EVERY_S = 10.0
# The clocks of the brokers that dated examples and labels may differ by so much.
CLOCKS_MS = 60_000
# The header of an example that says which owner of its source sent it.
EPOCH = "epoch"
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


async def nothing_was_counted(settings: Settings, partition: int, floors: Mapping[str, int]) -> bool:
    """Whether no worker has ever told anything: then there is nothing to make anew."""
    if any(floors.values()):
        return False
    async with reader(settings, partition) as source:
        return all([await source.first(topic) == await source.end(topic) for topic in ("examples", "panes")])


class Rebuild:
    """One partition. `floors`: its commits. `reached`: what was counted beyond them in this process, if anything was.

    `ours()`: whether the partition still is; asked between chunks.
    """

    def __init__(
        self,
        settings: Settings,
        store: JoinStore,
        floors: Mapping[str, int],
        reached: Mapping[str, int],
        progress: Progress,
        ours: Callable[[], bool],
    ) -> None:
        self.settings, self.store, self.floors, self.progress, self.ours = settings, store, floors, progress, ours
        self._join = Join(store, settings.labels.horizon_ms)
        self._decoder = PredictionDecoder(settings)
        self._watermarks: dict[str, int | None] = {}
        self._reached = {**floors, **reached}
        """Everything below was told to be counted, if not yet committed."""
        self._sides: dict[str, dict[int, Side]] = defaultdict(dict)
        """Of the pairs of late: id -> time of the label (ms) -> the side with whose record it counted."""
        self._epochs: dict[tuple[str, int], int] = {}
        """Of the owners that said so: id, time of the label."""
        self._fences = Fences()
        self._told = time.monotonic()

    async def run(self) -> None:
        """Raises NoLongerOurs; what was done until then is gone on with by whoever opens the store next."""
        self.store.unfinished = True
        async with reader(self.settings, self.progress.partition) as source:
            ends = {topic: await source.end(topic) for topic in (*SIDES, "examples", "panes")}
            # A topic that was made anew may end before what was committed of the old one.
            self.floors = {topic: min(floor, ends[topic]) for topic, floor in self.floors.items()}
            starts = {topic: await self._start(source, topic) for topic in SIDES}
            self.progress.total = sum(max(self.floors[topic] - start, 0) for topic, start in starts.items())
            if self.progress.total:
                log.info("From here on %s", self.progress)
            await self._read_told(source, ends)
            for topic, start in starts.items():
                await self._read(source, topic, start, ends[topic])
        self._join.completed(self._sides)
        for topic in SIDES:
            self._write(topic, self.floors[topic])
        self.store.unfinished = False
        if self.progress.total:
            log.info("Partition %d: the join's store is complete again", self.progress.partition)

    async def _start(self, source: Reader, topic: str) -> int:
        """Where the store ends, or a horizon ago; never before what retention has left."""
        known = self.store.next_offset(topic)
        if known is None:
            known = await source.since(topic, round(time.time() * 1000) - self.settings.labels.horizon_ms)
        return max(self.floors[topic] if known is None else known, await source.first(topic))

    async def _read(self, source: Reader, topic: str, start: int, end: int) -> None:
        """Up to what was told, and on to the end if some of what lies there came before its other side."""
        floor, reached = self.floors[topic], min(self._reached[topic], end)
        others = {identity for identity, by_time in self._sides.items() if {*by_time.values()} - {SIDES[topic]}}
        async for records in source.read(topic, start, end if others else max(floor, reached)):
            self._check_ours()
            if records:
                self._put(topic, raw_chunk(records), Wanted(max(floor, reached), others))
            self.progress.done = min(self.progress.done + len(records), self.progress.total)
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
            self._watermarks[topic] = later(int(times.max()), before)
        self._write(topic, min(int(raw.offsets[-1]) + 1, self.floors[topic]))

    def _write(self, topic: str, next_offset: int) -> None:
        """What was put; the store may be further already."""
        self.store.write(topic, max(next_offset, self.store.next_offset(topic) or 0), self._watermarks.get(topic))

    async def _read_told(self, source: Reader, ends: Mapping[str, int]) -> None:
        """What was told of the records that are read again: examples and ticks since the first of them came."""
        times = [await _time_at(source, topic, self.floors[topic], ends[topic]) for topic in SIDES]
        known = [time_ms for time_ms in times if time_ms is not None]
        if not known:
            return
        for topic, note in (("examples", self._note), ("panes", self._note_tick)):
            first = await source.since(topic, min(known) - CLOCKS_MS)
            async for records in source.read(topic, ends[topic] if first is None else first, ends[topic]):
                self._check_ours()
                for record in records:
                    note(record)

    def _note(self, record: Fetched) -> None:
        """Of two owners that say otherwise the newer one is believed: what the other sent after it does not count."""
        example: dict[str, Any] = orjson.loads(record.value or b"")
        epoch = next((int(value) for name, value in record.headers if name == EPOCH and value is not None), 0)
        columns = example["prediction_ids"], example["label_timestamps"], example["completed_by"]
        for identity, time_ms, (topic, _) in zip(*columns, strict=True):
            if epoch >= self._epochs.get((identity, time_ms), 0):
                self._epochs[identity, time_ms] = epoch
                self._sides[identity][time_ms] = SIDES[topic]

    def _note_tick(self, record: Fetched) -> None:
        """Panes may have closed on the word that all below a position was counted: that must be so again."""
        value = record.value or b""
        if value.startswith(b'{"tick"'):
            for topic, partition, position, *_ in self._fences.lines(orjson.loads(value)["tick"], record.offset):
                if topic in SIDES and partition == self.progress.partition:
                    self._reached[topic] = max(self._reached[topic], position)

    def _check_ours(self) -> None:
        if not self.ours():
            raise NoLongerOurs

    def _tell(self) -> None:
        if self.progress.total and time.monotonic() - self._told > TOLD_EVERY_S:
            self._told = time.monotonic()
            log.info("Still %s", self.progress)


async def _time_at(source: Reader, topic: str, offset: int, end: int) -> int | None:
    """Kafka's time (ms) of the first record from `offset` on; None where there is none."""
    async for records in source.read(topic, offset, end, most=1):
        if records:
            return int(records[0].timestamp)
    return None

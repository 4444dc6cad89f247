"""A join's store that is not there, or is behind: made anew from the source topics.

Below the commits predictions and labels are put beside each other, and nothing counts. What lies above them is read
again, and each pair must be completed by the same record as before, or it would count in two places. Which record that
was stands in the examples. So of what lies above the commits the store gets what was told to be counted already, and
those records that came first then.

A store that another owner had no part in since is not believed above the commits: what its records decided there may
have counted for nobody. They are taken out of it before.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

from app.decoding.chunks import RawChunk
from app.decoding.columns import Ints
from app.decoding.decode import PredictionDecoder
from app.decoding.label_rows import decode_labels
from app.joining.join import Join
from app.joining.rows import Wanted, join_labels, join_predictions
from app.joining.told import SIDES, Told
from app.settings import Settings
from app.sources.marks import Mark, Raise, later
from app.sources.watermarks import earlier_maximum
from streams.joins import JoinStore
from streams.partitionreader import Reader, reader
from streams.records import Records
from streams.unpacking import Fetched

log = logging.getLogger(__name__)

TOLD_EVERY_S = 10.0
# The clocks of the brokers that dated examples and labels may differ by so much.
CLOCKS_MS = 60_000
# The header of an example that says which owner of its source sent it.
EPOCH = "epoch"


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


@dataclass(frozen=True, slots=True)
class Already:
    """What this process counted with a store that is lost. `reached`: topic -> offset up to where.

    `untold`: values of examples that may not have come to the broker yet, each with its epoch.
    """

    reached: Mapping[str, int] = field(default_factory=dict)
    untold: Sequence[tuple[int, Mapping[str, Any]]] = ()


class Rebuild:
    """One partition. `floors`, `marks`: its commits, by topic. `counted`: beyond them in this process, if anything was.

    `ours()`: whether the partition still is; asked between chunks.
    """

    def __init__(
        self,
        settings: Settings,
        store: JoinStore,
        floors: Mapping[str, int],
        marks: Mapping[str, Mark],
        counted: Already,
        progress: Progress,
        ours: Callable[[], bool],
    ) -> None:
        self.settings, self.store, self.floors, self.progress, self.ours = settings, store, floors, progress, ours
        self._raises = {topic: _raises(floors[topic], mark) for topic, mark in marks.items()}
        self._join = Join(store, settings.labels.horizon_ms)
        self._decoder = PredictionDecoder(settings)
        self._watermarks: dict[str, int | None] = {}
        """How far time has come in what was read, and of that in what lies below the commits."""
        self._below: dict[str, int | None] = {}
        self._untold = counted.untold
        self._spoke = time.monotonic()
        self._told = Told(progress.partition, {**floors, **counted.reached})

    async def run(self) -> int:
        """Gives the end of the examples that are in it.

        Raises NoLongerOurs; what was done until then is gone on with by whoever opens the store next.
        """
        self.store.unfinished = True
        async with reader(self.settings, self.progress.partition) as source:
            ends = await self._ends(source)
            await self._forget_above(source, ends)
            starts = await self._starts(source)
            if self.progress.total and not self.progress.done:
                log.info("From here on %s", self.progress)
            await self._read_told(source, ends)
            for topic in SIDES:
                self.store.reach_to(topic, ends[topic])
            for topic, start in starts.items():
                await self._read(source, topic, start, ends[topic])
        self._join.completed(self._told.sides)
        for topic in SIDES:
            self._write(topic, self.floors[topic])
        self.store.unfinished = False
        if self.progress.total:
            log.info("Partition %d: the join's store is complete again", self.progress.partition)
        return ends["examples"]

    async def fill(self) -> None:
        """Puts what lies below the commits into a store that has nothing above them; `run` goes on from there."""
        self.store.unfinished = True
        async with reader(self.settings, self.progress.partition) as source:
            ends = await self._ends(source)
            for topic, start in (await self._starts(source)).items():
                await self._read(source, topic, start, ends[topic])

    async def _ends(self, source: Reader) -> dict[str, int]:
        ends = {topic: await source.end(topic) for topic in (*SIDES, "examples", "panes")}
        # A topic that was made anew may end before what was committed of the old one.
        self.floors = {topic: min(floor, ends[topic]) for topic, floor in self.floors.items()}
        return ends

    async def _starts(self, source: Reader) -> dict[str, int]:
        starts = {topic: await self._start(source, topic) for topic in SIDES}
        missing = sum(max(self.floors[topic] - start, 0) for topic, start in starts.items())
        self.progress.total = self.progress.done + missing
        return starts

    async def _forget_above(self, source: Reader, ends: Mapping[str, int]) -> None:
        """Takes out of the store what came of records above the commits."""
        floors = {SIDES[topic]: floor for topic, floor in self.floors.items()}
        for topic, floor in self.floors.items():
            async for records in source.read(topic, floor, min(self.store.reach(topic), ends[topic])):
                self._check_ours()
                if records:
                    self._join.forget(self._ids(topic, Records.of(records).raw), floors)
                    self.store.write_changes()
        for topic, floor in self.floors.items():
            if (self.store.next_offset(topic) or 0) > floor:
                self.store.write(topic, floor, None)

    def _ids(self, topic: str, raw: RawChunk) -> list[str]:
        if topic == "labels":
            return decode_labels(raw, self.settings.windows.max_ahead_ms).ids
        return [identity for run in self._decoder.decode(raw).runs for identity in run.columns.ids]

    async def _start(self, source: Reader, topic: str) -> int:
        """Where the store ends, or a horizon ago; never before what retention has left."""
        known = self.store.next_offset(topic)
        if known is None:
            known = await source.since(topic, round(time.time() * 1000) - self.settings.labels.horizon_ms)
        else:
            self._watermarks[topic] = self._below[topic] = self.store.watermark(topic)
        return max(self.floors[topic] if known is None else known, await source.first(topic))

    async def _read(self, source: Reader, topic: str, start: int, end: int) -> None:
        """Up to what was told, and on to the end if some of what lies there came before its other side."""
        floor, reached = self.floors[topic], min(self._told.reached[topic], end)
        others = {identity for identity, by_time in self._told.sides.items() if {*by_time.values()} - {SIDES[topic]}}
        async for records in source.read(topic, start, end if others else max(floor, reached)):
            self._check_ours()
            if records:
                self._put(topic, Records.of(records).raw, Wanted(max(floor, reached), others))
            self.progress.done = min(self.progress.done + len(records), self.progress.total)
            self._tell()
        self._write(topic, floor)

    def _put(self, topic: str, raw: RawChunk, wanted: Wanted) -> None:
        if topic == "predictions":
            decoded = self._decoder.decode(raw)
            times, offsets = decoded.times, decoded.offsets
            join_predictions(self._join, decoded, self._before(topic, times, offsets), self.settings, wanted)
        else:
            labels = decode_labels(raw, self.settings.windows.max_ahead_ms)
            times, offsets = labels.times, labels.offsets
            join_labels(self._join, labels, self._before(topic, times, offsets), wanted)
        for own, rows in ((self._watermarks, times), (self._below, times[offsets < self.floors[topic]])):
            if len(rows):
                own[topic] = later(int(rows.max()), own.get(topic))
        self._write(topic, min(int(raw.offsets[-1]) + 1, self.floors[topic]))

    def _before(self, topic: str, times: Ints, offsets: Ints) -> Ints:
        """The watermark before each row's record, (n,), as it was when these rows were counted."""
        watermarks = earlier_maximum(times, offsets, self._watermarks.get(topic))
        for raised in self._raises[topic]:
            after = offsets >= raised.offset
            watermarks[after] = np.maximum(watermarks[after], raised.watermark)
        return watermarks

    def _write(self, topic: str, next_offset: int) -> None:
        """What was put; the store may be further already."""
        reached = max(next_offset, self.store.next_offset(topic) or 0)
        self.store.write(topic, reached, self._below.get(topic), self._watermarks.get(topic))

    async def _read_told(self, source: Reader, ends: Mapping[str, int]) -> None:
        """Ticks and examples since the first of the records above the commits came."""
        times = [await _time_at(source, topic, self.floors[topic], ends[topic]) for topic in SIDES]
        known = [time_ms for time_ms in times if time_ms is not None]
        for topic, note in (("panes", self._note_tick), ("examples", self._note_example)) if known else ():
            first = await source.since(topic, min(known) - CLOCKS_MS)
            async for records in source.read(topic, ends[topic] if first is None else first, ends[topic]):
                self._check_ours()
                for record in records:
                    note(record)
        for epoch, example in self._untold:
            self._told.example(example, epoch, None)

    def _note_tick(self, record: Fetched) -> None:
        self._told.tick(record.value or b"", record.offset)

    def _note_example(self, record: Fetched) -> None:
        epoch = next((int(value) for name, value in record.headers if name == EPOCH and value is not None), 0)
        self._told.example(orjson.loads(record.value or b""), epoch, record.offset)

    def _check_ours(self) -> None:
        if not self.ours():
            raise NoLongerOurs

    def _tell(self) -> None:
        if self.progress.total and time.monotonic() - self._spoke > TOLD_EVERY_S:
            self._spoke = time.monotonic()
            log.info("Still %s", self.progress)


def _raises(floor: int, mark: Mark) -> list[Raise]:
    """What a commit says of how far time had come at its floor and above."""
    at_floor = [] if mark.watermark is None else [Raise(floor, mark.watermark)]
    return [*at_floor, *mark.raises]


async def _time_at(source: Reader, topic: str, offset: int, end: int) -> int | None:
    """Kafka's time (ms) of the first record from `offset` on; None where there is none."""
    async for records in source.read(topic, offset, end, most=1):
        if records:
            return int(records[0].timestamp)
    return None

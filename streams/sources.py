"""One source partition as its present owner reads it: the open block, the watermark, and how far it was published."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from app.decoding.columns import Ints
from app.messages import Message
from app.settings import Settings, WindowSettings
from app.sources.marks import Mark, Raise, later
from app.sources.passed import Passed
from app.sources.watermarks import windows_end
from app.windowing.blocks import BaselineOf, Block
from streams.records import Records

# An event this much older than its Kafka record is history being loaded, not traffic.
HISTORY_MS = 600_000


@dataclass(slots=True)
class Published:
    """What others may be told: everything below `position` is in acknowledged parts. `mark`: how far time is there."""

    position: int
    mark: Mark


class Source:
    """A partition in one generation of the consumer group, from the first offset that it reads."""

    def __init__(
        self,
        name: tuple[str, int],
        generation: int,
        first: int,
        mark: Mark,
        settings: Settings,
        baseline_of: BaselineOf,
    ) -> None:
        """`mark`: of the commit from which reading begins, as this owner claimed it."""
        self.name = name
        self.epoch, self.owner = mark.epoch, mark.owner
        self.generation = generation
        self.next = first
        self.watermark = mark.watermark
        self.events = mark.events
        self.kafka_ms = mark.kafka_ms
        self.settings = settings
        self.baseline_of = baseline_of
        self.block = Block(name, first // settings.worker.block_records, settings, baseline_of, mark.epoch)
        self.block_mark = replace(mark, raises=())
        self.raises = list(mark.raises)
        """Of the open block: where the watermark was raised while nothing came, in this or an earlier generation."""
        self._reach(first)
        self.published = Published(first, self.mark())
        self.passed = Passed()
        """Of the chunk that is being counted: what is counted in another partition."""
        self.untold: list[Message] = []
        """Examples of pairs that were counted, until the broker has them."""
        self.unsent = 0
        """Records that were counted after the last parts."""
        self.sending = asyncio.Lock()
        """Held from counting to publishing: nobody else may say meanwhile how far this partition has come."""

    def leaves_block(self, offset: int) -> bool:
        return offset // self.settings.worker.block_records != self.block.number

    def enter(self, offset: int) -> Block:
        """The block of `offset`, with new totals if it is another one than before."""
        number = offset // self.settings.worker.block_records
        if number != self.block.number:
            self.block = Block(self.name, number, self.settings, self.baseline_of, self.epoch)
            self.block_mark = self.mark()
            self.raises.clear()
        return self.block

    def mark(self) -> Mark:
        """How far time is now."""
        return Mark(self.watermark, self.events, self.kafka_ms, epoch=self.epoch, owner=self.owner)

    def pieces(self, records: Records) -> Iterator[Records]:
        """`records` from the next offset on, cut where the watermark was raised: it holds from there on, as it did."""
        start = 0
        for raised in [raised for raised in self.raises if raised.offset >= self.next]:
            end = int(np.searchsorted(records.raw.offsets, raised.offset))
            if end > start:
                yield records[start:end]
            if end == len(records):
                return
            self._reach(raised.offset)
            start = end
        yield records[start:]

    def earlier(self, times: Ints, offsets: Ints) -> Ints:
        """The watermark before each row's record, (n,). `times`, `offsets`: (n,) of rows in offset order."""
        return self.passed.earlier(times, offsets, self.watermark)

    def advance(self, times: Ints, last_offset: int, kafka_ms: int, records: int) -> None:
        """Everything up to `last_offset` is counted; `times`: (n,) of the rows that can be used."""
        times = np.concatenate([times, self.passed.upto(last_offset)])
        if len(times):
            self.events = later(self.events, int(times.max()))
            self.watermark = later(self.watermark, self.events)
        self.next = last_offset + 1
        self.unsent += records
        self.kafka_ms = kafka_ms
        self._reach(self.next)

    def publish(self) -> None:
        """What was counted so far is acknowledged."""
        self.published = Published(self.next, self.mark())
        self.unsent = 0

    def is_as(self, published: Published) -> bool:
        """Whether nothing was counted since it was found so."""
        return self.published is published and not self.unsent

    def is_before(self, watermark: int) -> bool:
        return self.watermark is None or self.watermark < watermark

    def floor(self) -> tuple[int, str]:
        """Where a restart must begin, the start of the block that is not complete, and how far time is there."""
        return self._floor(self.mark(), self.raises)

    def floor_if_raised(self, watermark: int) -> tuple[int, str]:
        """What the floor will be after `raise_to`. Nobody may be told of it before that is committed."""
        return self._floor(replace(self.mark(), watermark=watermark), self._raised(watermark))

    def raise_to(self, watermark: int) -> None:
        """Time has come so far although nothing came; all that comes from now on is judged by that."""
        self.raises = self._raised(watermark)
        self.watermark = watermark
        if self.next == self._block_start():
            self.block_mark = self.mark()

    def _reach(self, offset: int) -> None:
        for raised in self.raises:
            if raised.offset <= offset:
                self.watermark = later(self.watermark, raised.watermark)

    def _floor(self, mark: Mark, raises: list[Raise]) -> tuple[int, str]:
        if self.next == self._block_start() or self.leaves_block(self.next):
            return self.next, mark.metadata()
        return self._block_start(), replace(self.block_mark, raises=tuple(raises)).metadata()

    def _raised(self, watermark: int) -> list[Raise]:
        """At the start of a block there is nothing to remember beside its own mark."""
        if self.next == self._block_start() or self.leaves_block(self.next):
            return []
        return [*(raised for raised in self.raises if raised.offset < self.next), Raise(self.next, watermark)]

    def _block_start(self) -> int:
        return self.block.number * self.settings.worker.block_records


def quiet_watermark(mark: Mark, quiet_ms: int, windows: WindowSettings) -> int | None:
    """The watermark of a partition in which nothing has come for `quiet_ms`: time goes on without events.

    While history is loaded, the clock on the wall says nothing about its time: it only goes on to the end of the last
    tumbling window, so that this one is published and a later file can still follow.
    """
    if mark.watermark is None or mark.events is None:
        return mark.watermark
    if mark.kafka_ms is not None and mark.kafka_ms - mark.events < HISTORY_MS:
        return mark.watermark + quiet_ms
    return max(mark.watermark, windows_end(mark.events, windows))

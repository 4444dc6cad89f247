"""One source partition as its present owner reads it: the open block, the watermark, and how far it was published."""

import asyncio
from dataclasses import dataclass

import numpy as np

from app.blocks import BaselineOf, Block
from app.columns import Ints
from app.passed import Passed
from app.settings import Settings, WindowSettings

# An event this much older than its Kafka record is history being loaded, not traffic.
HISTORY_MS = 600_000


@dataclass(slots=True)
class Published:
    """What others may be told: everything below `position` is in acknowledged parts."""

    position: int
    watermark: int | None
    kafka_ms: int | None = None


class Source:
    """A partition in one generation of the consumer group, from the first offset that it reads."""

    def __init__(
        self,
        name: tuple[str, int],
        generation: int,
        first: int,
        watermark: int | None,
        settings: Settings,
        baseline_of: BaselineOf,
    ) -> None:
        self.name = name
        self.generation = generation
        self.next = first
        self.watermark = watermark
        self.settings = settings
        self.baseline_of = baseline_of
        self.block = Block(name, first // settings.worker.block_records, settings, baseline_of)
        self.block_watermark = watermark
        self.published = Published(first, watermark)
        self.passed = Passed()
        """Of the chunk that is being counted: what is counted in another partition."""
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
            self.block = Block(self.name, number, self.settings, self.baseline_of)
            self.block_watermark = self.watermark
        return self.block

    def earlier(self, times: Ints, offsets: Ints) -> Ints:
        """The watermark before each row's record, (n,). `times`, `offsets`: (n,) of rows in offset order."""
        return self.passed.earlier(times, offsets, self.watermark)

    def advance(self, times: Ints, last_offset: int, kafka_ms: int, records: int) -> None:
        """Everything up to `last_offset` is counted; `times`: (n,) of the rows that can be used."""
        times = np.concatenate([times, self.passed.upto(last_offset)])
        if len(times):
            latest = int(times.max())
            self.watermark = latest if self.watermark is None else max(self.watermark, latest)
        self.next = last_offset + 1
        self.unsent += records
        self._kafka_ms = kafka_ms

    def publish(self) -> None:
        """What was counted so far is acknowledged."""
        self.published = Published(self.next, self.watermark, self._kafka_ms)
        self.unsent = 0

    def floor(self) -> tuple[int, str]:
        """Where a restart must begin, the start of the block that is not complete, and the watermark there."""
        size = self.settings.worker.block_records
        if self.next % size == 0:
            return self.next, _as_metadata(self.watermark)
        return max(self.block.number * size, 0), _as_metadata(self.block_watermark)


def _as_metadata(watermark: int | None) -> str:
    return "" if watermark is None else str(watermark)


def watermark_of(metadata: str) -> int | None:
    return int(metadata) if metadata else None


def quiet_watermark(published: Published, quiet_ms: int, windows: WindowSettings) -> int | None:
    """The watermark of a partition in which nothing has come for `quiet_ms`: time goes on without events.

    While history is loaded, the clock on the wall says nothing about its time: it only goes on to the end of the last
    tumbling window, so that this one is published and a later file can still follow.
    """
    if published.watermark is None:
        return None
    if published.kafka_ms is not None and published.kafka_ms - published.watermark < HISTORY_MS:
        return published.watermark + quiet_ms
    longest = max([*windows.tumbling_ms, windows.pane_ms])
    return published.watermark - published.watermark % longest + longest + windows.lateness_ms

"""How far the source partitions have come, as their ticks say: the watermark that closes panes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.sources.marks import later

Name = tuple[str, int]


@dataclass(frozen=True, slots=True)
class LastTick:
    """Of one source partition. `offset`: its place in the partition of `panes`.

    `watermark` is a promise: a row that comes later and is older than that, less the allowed lateness, counts as late.
    """

    position: int
    watermark: int | None
    idle: bool
    offset: int


class Progress:
    """The source partitions that one partition of `panes` has heard of."""

    def __init__(self) -> None:
        self.told: dict[Name, LastTick] = {}
        self.expected: frozenset[Name] | None = None

    def tick(self, tick: Mapping[str, Any], offset: int) -> None:
        """Takes in a tick. What it says of a source that is known to be further is old, and of no use."""
        self.expected = frozenset((topic, n) for topic, count in tick["expected"].items() for n in range(count))
        for topic, partition, position, watermark, idle in tick["sources"]:
            before = self.told.get((topic, partition))
            if before is None or position >= before.position:
                watermark = later(before.watermark if before else None, watermark)
                self.told[topic, partition] = LastTick(position, watermark, idle, offset)

    def watermark(self) -> int | None:
        """Event time (ms) that all sources have passed; None until each has told one.

        An idle source goes on because its reader says so each time. When nobody reads it, what was said last holds
        panes open, whether it was idle or not: there may be rows in it that nobody has seen.
        """
        if self.expected is None:
            return None
        return least(self.told[name].watermark if name in self.told else None for name in self.expected)

    def first_offset(self) -> int | None:
        """Where reading must begin to hear the latest tick of each expected source again."""
        names = self.told.keys() if self.expected is None else self.expected & self.told.keys()
        return min((self.told[name].offset for name in names), default=None)


def reached(sources: Iterable[tuple[int | None, bool]]) -> int | None:
    """Where an idle source may go on to (ms), so that it holds nobody back: `sources` are (watermark, idle) of all.

    To where the active ones are; when all are idle, to the furthest one. None while an active one has no time yet.
    """
    told = list(sources)
    if all(idle for _, idle in told):
        return max((watermark for watermark, _ in told if watermark is not None), default=None)
    return least(watermark for watermark, idle in told if not idle)


def least(watermarks: Iterable[int | None]) -> int | None:
    """The smallest; None when there is none, or one is not known."""
    found = list(watermarks)
    known = [watermark for watermark in found if watermark is not None]
    return min(known) if known and len(known) == len(found) else None

"""How far the source partitions have come, as their ticks say: the watermark that closes panes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Name = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Told:
    """The latest tick of one source partition. `offset`: its place in the partition of `panes`."""

    position: int
    watermark: int | None
    idle: bool
    offset: int


class Progress:
    """The source partitions that one partition of `panes` has heard of."""

    def __init__(self) -> None:
        self.told: dict[Name, Told] = {}
        self.expected: frozenset[Name] | None = None

    def tick(self, tick: Mapping[str, Any], offset: int) -> None:
        """Takes in a tick. What it says of a source that is known to be further is old, and of no use."""
        self.expected = frozenset((topic, n) for topic, count in tick["expected"].items() for n in range(count))
        for topic, partition, position, watermark, idle in tick["sources"]:
            before = self.told.get((topic, partition))
            if before is None or position >= before.position:
                watermark = _later(before.watermark if before else None, watermark)
                self.told[topic, partition] = Told(position, watermark, idle, offset)

    def watermark(self) -> int | None:
        """Event time (ms) that all sources have passed.

        None until every expected partition has ticked, and while an active one has no event yet. Idle partitions hold
        nobody back; when all are idle, the furthest one counts.
        """
        if self.expected is None or not self.expected <= self.told.keys():
            return None
        told = [self.told[name] for name in self.expected]
        active = [source.watermark for source in told if not source.idle]
        if active:
            return None if None in active else min(watermark for watermark in active if watermark is not None)
        return max((source.watermark for source in told if source.watermark is not None), default=None)

    def first_offset(self) -> int | None:
        """Where reading must begin to hear the latest tick of each expected source again."""
        names = self.told.keys() if self.expected is None else self.expected & self.told.keys()
        return min((self.told[name].offset for name in names), default=None)


def _later(one: int | None, other: int | None) -> int | None:
    return max((time for time in (one, other) if time is not None), default=None)

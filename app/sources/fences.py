"""Owners of source partitions, told apart by their epochs, so that one who lost a partition can't spoil it.

A worker that was stopped, or cut off, goes on without knowing that another has its partitions. What it still sends of
them comes after the first word of the new owner, whose epoch is higher, and is ignored from there on. That depends on
the order on `panes` alone; so that reading again from the floor decides the same, a commit carries the epochs there.

An epoch is the birth of the consumer group and the number of the owner. Each owner takes the one that follows what it
finds in the commit, and commits that before it tells anything. (The group's generation would not do: a worker that
comes back under its own name is given the generation of the one that died.) Only owners of one group can be compared:
of a group that was deleted and began anew, nothing is ignored for the sake of the old.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

Name = tuple[str, int]
# As many as fit into a commit. The oldest owners are left out: who lost a partition to them is long gone.
MOST_KNOWN = 140
NUMBER_BITS = 20


def epoch_of(birth_ms: int, number: int) -> int:
    return birth_ms << NUMBER_BITS | number


def birth_of(epoch: int) -> int:
    return epoch >> NUMBER_BITS


def epoch_after(epoch: int, now_ms: int) -> int:
    """Of the owner after that of `epoch`; 0: there was none, and the group is born now."""
    return epoch + 1 if epoch else epoch_of(now_ms, 1)


def outdated(epoch: int, newest: int) -> bool:
    """Whether `epoch` is of an owner that had lost the partition to the one of `newest`."""
    return epoch < newest and birth_of(epoch) == birth_of(newest)


def continues(before: Mapping[str, int], now: Mapping[str, int]) -> bool:
    """Whether nobody can have owned a partition between these owners. Both: topic -> epoch."""
    return all(before.get(topic) == epoch - 1 for topic, epoch in now.items())


class Fences:
    """The newest epoch of each source partition that one partition of `panes` has heard of.

    `metadata`: of the commit from which reading begins. What has no epoch was written by an older version, and counts.
    """

    def __init__(self, metadata: str = "") -> None:
        known = orjson.loads(metadata) if metadata else {}
        self._below = {(topic, int(number)): epoch for topic, own in known.items() for number, epoch in own.items()}
        self._newest: dict[Name, int] = dict(self._below)
        self._since: list[tuple[int, Name, int]] = []
        self.ignored = 0
        """Parts and lines of ticks of owners that had lost the partition."""

    def stands(self, source: Name, epoch: int | None, offset: int) -> bool:
        """Whether what stands at `offset` is of the newest owner of `source`, who is then known."""
        if epoch is None:
            return True
        newest = self._newest.get(source)
        if newest is not None and outdated(epoch, newest):
            self.ignored += 1
            return False
        if epoch != newest:
            self._newest[source] = epoch
            self._since.append((offset, source, epoch))
        return True

    def lines(self, tick: Mapping[str, Any], offset: int) -> list[Sequence[Any]]:
        """The sources of a tick that stand. `epochs` may name more: a new owner that has nothing to say yet."""
        epochs = {(topic, partition): epoch for topic, partition, epoch in tick.get("epochs", ())}
        standing = {source: self.stands(source, epoch, offset) for source, epoch in epochs.items()}
        return [line for line in tick["sources"] if standing.get((line[0], line[1]), True)]

    def metadata(self, floor: int) -> str:
        """For the commit of `floor`, which never goes back: the epochs that were known before it."""
        while self._since and self._since[0][0] < floor:
            _, source, epoch = self._since.pop(0)
            self._below[source] = epoch
        newest = sorted(self._below.items(), key=lambda known: (-known[1], known[0]))[:MOST_KNOWN]
        told: dict[str, dict[str, int]] = defaultdict(dict)
        for (topic, partition), epoch in sorted(newest):
            told[topic][str(partition)] = epoch
        return orjson.dumps(told).decode() if told else ""

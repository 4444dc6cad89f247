"""Quantiles from a fixed log histogram: it adds up exactly, in any order, and says the same on every replay.

The mapping is DDSketch's (Masson, Rim and Lee, VLDB 2019) without its collapsing: the buckets never move.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from app.decoding.columns import Floats, Ints
from app.statistics.groups import Groups

GAMMA = 1.02
LOW = 1e-3
BUCKETS = 1396
HIGH = LOW * GAMMA**BUCKETS
_STEP = float(np.log(GAMMA))
_FIRST = 2
OVER = _FIRST + BUCKETS


class LogHistogram:
    """Counts of values in buckets that each reach 2 % further than the one before, and their sum.

    A quantile is within 1 % ((gamma - 1) / (gamma + 1)) of numpy's (method "linear") for values from 0.001 to 1e9 of
    whatever unit. Bucket 0 holds values <= 0, told as 0; bucket 1 those up to 0.001, told as half of it; the last one
    those from 1.01e9 (`HIGH`) up, told as that. Only the stretch between the lowest and the highest used is in memory.
    """

    __slots__ = ("counts", "first", "total")

    def __init__(self) -> None:
        self.first = 0
        self.counts: Ints = np.zeros(0, np.int64)
        self.total = 0.0

    @staticmethod
    def update(members: Sequence["LogHistogram"], groups: Groups, prepared: "Buckets") -> None:
        """Adds each row of a chunk to its group's histogram."""
        width = prepared.width
        counts = groups.count(prepared.offsets, width + 1)
        if prepared.signs is not None:
            counts = counts - 2 * groups.only(prepared.signs < 0).count(prepared.offsets, width + 1)
        for member, row in zip(members, counts, strict=True):
            member._stretch(prepared.first, width)[:] += row[:width]
        sums = [np.array([member.total]) for member in members]
        groups.carry(sums, [prepared.values])
        for member, own in zip(members, sums, strict=True):
            member.total = float(own[0])

    def _stretch(self, first: int, width: int) -> Ints:
        """The counts of `width` buckets from `first` on, as a view; memory grows to hold them."""
        last = first + width
        if not len(self.counts):
            self.first, self.counts = first, np.zeros(width, np.int64)
        elif first < self.first or last > self.first + len(self.counts):
            low, high = min(first, self.first), max(last, self.first + len(self.counts))
            grown = np.zeros(high - low, np.int64)
            grown[self.first - low : self.first - low + len(self.counts)] = self.counts
            self.first, self.counts = low, grown
        return self.counts[first - self.first : last - self.first]

    @property
    def count(self) -> int:
        return int(self.counts.sum())

    def mean(self) -> float | None:
        count = self.count
        return self.total / count if count else None

    def quantile(self, q: float) -> float | None:
        """The value at rank q * (count - 1), between two values in proportion, as numpy's default."""
        cumulated = np.cumsum(self.counts)
        if not len(cumulated) or not cumulated[-1]:
            return None
        rank = q * (int(cumulated[-1]) - 1)
        low = int(rank)
        places = np.searchsorted(cumulated, [low, min(low + 1, int(cumulated[-1]) - 1)], side="right")
        below, above = (_middle(self.first + int(place)) for place in places)
        return below + (above - below) * (rank - low)

    @property
    def seen(self) -> bool:
        return (len(self.counts) > 0 and bool(self.counts.any())) or self.total != 0

    def above(self, value: float) -> int:
        """How many are in higher buckets than `value`."""
        bucket = int(Buckets(np.array([value])).first)
        return int(self.counts[max(bucket + 1 - self.first, 0) :].sum())

    def merge(self, other: "LogHistogram") -> None:
        if len(other.counts):
            self._stretch(other.first, len(other.counts))[:] += other.counts
        self.total += other.total

    def state(self) -> dict[str, Any]:
        used = np.flatnonzero(self.counts)
        return {"buckets": (used + self.first).tolist(), "counts": self.counts[used].tolist(), "total": self.total}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "LogHistogram":
        histogram = cls()
        buckets = state["buckets"]
        if buckets:
            places = np.array(buckets, np.int64)
            histogram._stretch(buckets[0], buckets[-1] - buckets[0] + 1)[places - buckets[0]] = state["counts"]
        histogram.total = state["total"]
        return histogram


class Buckets:
    """Where n values belong, worked out once for all groupings of a chunk. NaN belongs nowhere.

    `offsets`: (n,) bucket - `first`, `width` where it belongs nowhere. `values`: (n,) as they enter the sum, which is
    cut to 0 to `HIGH`. `signs`: (n,) -1 where a value is taken back; None: nowhere.
    """

    __slots__ = ("first", "offsets", "signs", "values", "width")

    def __init__(self, values: Floats, signs: Ints | None = None) -> None:
        absent = np.isnan(values)
        within = np.clip(values, LOW / 2, HIGH * 2)
        buckets = np.floor(np.log(within / LOW) / _STEP) + _FIRST
        buckets = np.where(values <= 0, 0, np.clip(buckets, 1, OVER))
        present = buckets[~absent]
        self.first = int(present.min()) if len(present) else 0
        self.width = int(present.max()) - self.first + 1 if len(present) else 0
        self.offsets: Ints = np.where(absent, self.width, buckets - self.first).astype(np.int64)
        self.values: Floats = np.where(absent, 0.0, np.clip(values, 0.0, HIGH))
        self.signs = signs
        if signs is not None:
            self.values = self.values * signs


def _middle(bucket: int) -> float:
    """The value with the smallest relative distance to both ends of a bucket."""
    if bucket == 0:
        return 0.0
    if bucket < _FIRST:
        return LOW / 2
    if bucket == OVER:
        return HIGH
    return float(LOW * GAMMA ** (bucket - _FIRST) * 2 * GAMMA / (1 + GAMMA))

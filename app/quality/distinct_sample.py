"""How often each of a sample of the distinct rows came: the rows with the smallest keys.

All copies of a row have its key, so they are in the sample together or not at all, and their mean number is that of all
rows (Gibbons, "Distinct sampling for highly-accurate answers to distinct values queries and event reports", VLDB 2001;
smallest keys: Cohen and Kaplan, "Summarizing data using bottom-k sketches", PODC 2007).
"""

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np

from app.decoding.columns import Ints
from app.quality.keys import Keys
from app.statistics.groups import Groups

SIZE = 256
_LAST = np.uint64(2**64 - 1)


class DistinctSample:
    """`keys`: at most `SIZE` smallest, rising; `counts`: how often each came. It adds up in any order."""

    __slots__ = ("counts", "keys")

    def __init__(self) -> None:
        self.keys: Keys = np.zeros(0, np.uint64)
        self.counts: Ints = np.zeros(0, np.int64)

    @staticmethod
    def update(members: Sequence["DistinctSample"], groups: Groups, keys: Keys) -> None:
        """Adds the row keys (n,), 0 for a row that is none."""
        highest = np.array([*(member.highest for member in members), 0], np.uint64)
        chosen = np.flatnonzero((keys <= highest[groups.index]) & (keys > 0))
        order = chosen[np.lexsort((keys[chosen], groups.index[chosen]))]
        own, index = keys[order], groups.index[order]
        starts = np.flatnonzero(np.concatenate([[True], (own[1:] != own[:-1]) | (index[1:] != index[:-1])]))
        starts = starts[: len(own)]
        counts = np.diff(starts, append=len(own))
        edges = np.searchsorted(index[starts], np.arange(groups.size + 1))
        for member, start, end in zip(members, edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            if start < end:
                member.add(own[starts[start:end]], counts[start:end])

    @property
    def highest(self) -> np.uint64:
        """The largest key that there may be room for."""
        return self.keys[-1] if len(self.keys) == SIZE else _LAST

    def add(self, keys: Keys, counts: Ints) -> None:
        """Distinct keys, rising, with their counts."""
        if len(self.keys):
            both = np.concatenate([self.keys, keys])
            keys, places = np.unique(both, return_inverse=True)
            own = np.zeros(len(keys), np.int64)
            np.add.at(own, places, np.concatenate([self.counts, counts]))
            counts = own
        self.keys, self.counts = keys[:SIZE].copy(), counts[:SIZE].copy()

    def merge(self, other: "DistinctSample") -> None:
        self.add(other.keys, other.counts)

    @property
    def repeated(self) -> float | None:
        """The share of rows that repeat another; None with fewer than two."""
        rows = int(self.counts.sum())
        return 1 - len(self.keys) / rows if rows > 1 else None

    def state(self) -> list[Any]:
        """The keys as base64, and the counts where any is above 1."""
        keys = base64.b64encode(self.keys.astype("<u8").tobytes()).decode()
        return [keys, self.counts.tolist() if (self.counts > 1).any() else []]

    @classmethod
    def from_state(cls, state: Sequence[Any]) -> "DistinctSample":
        own = cls()
        own.keys = np.frombuffer(base64.b64decode(state[0]), "<u8").astype(np.uint64)
        own.counts = np.array(state[1], np.int64) if state[1] else np.ones(len(own.keys), np.int64)
        return own

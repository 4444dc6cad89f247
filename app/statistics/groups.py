"""Which accumulator each row of a chunk belongs to, and the two passes that all accumulators are made of."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import Floats, Ints

Member = TypeVar("Member")


class Groups:
    """n rows over `size` groups. `index`: (n,) the group of each row, `size` where it is in none."""

    __slots__ = ("index", "size")

    def __init__(self, index: Ints, size: int) -> None:
        self.index = index
        self.size = size

    def rows(self) -> Ints:
        """(size,) rows of each group."""
        return np.bincount(self.index, minlength=self.size + 1)[: self.size]

    def count(self, bins: Ints, width: int) -> Ints:
        """(size, width) rows of each group in each bin. `bins`: (n,), or (k, n) for k bins a row; below `width`."""
        flat = self.index * width + bins
        return np.bincount(flat.ravel(), minlength=(self.size + 1) * width)[: self.size * width].reshape(-1, width)

    def carry(self, sums: Sequence[Floats], columns: Sequence[Floats]) -> None:
        """Adds k columns (n,) to the (k,) sums of each group, strictly row after row.

        Float addition is not associative, so this order is what makes the sums the same for every cut into chunks.
        """
        running = np.zeros((len(columns), self.size + 1))
        running[:, :-1] = np.array(sums).T
        for total, column in zip(running, columns, strict=True):
            np.add.at(total, self.index, column)
        for own, row in zip(sums, running.T, strict=False):
            own[:] = row

    def only(self, chosen: NDArray[np.bool_]) -> "Groups":
        """The same groups over the `chosen` (n,) rows alone."""
        return Groups(np.where(chosen, self.index, self.size), self.size)


def occupied(members: Sequence[Member], codes: Ints) -> tuple[list[Member], Groups]:
    """The members that have rows, and their groups. `codes`: (n,) index into `members`, -1 for none."""
    rows = np.bincount(codes + 1, minlength=len(members) + 1)
    found = np.flatnonzero(rows[1:])
    if len(found) == len(members):
        index = codes if not rows[0] else np.where(codes < 0, len(members), codes)
        return list(members), Groups(index, len(members))
    renumbered = np.full(len(members) + 1, len(found), np.int64)
    renumbered[found] = np.arange(len(found))
    return [members[i] for i in found.tolist()], Groups(renumbered[codes], len(found))


def first_come(codes: Ints) -> list[int]:
    """The distinct codes (at least 0) in the order in which they first occur."""
    found, first = np.unique(codes, return_index=True)
    return [code for code in found[np.argsort(first)].tolist() if code >= 0]


def distinct(keys: Ints, size: int) -> tuple[Ints, Ints]:
    """The distinct keys in rising order, and (n,) the place of each among them. `keys`: (n,), 0 to below `size`."""
    if size > 1 << 16:
        found, places = np.unique(keys, return_inverse=True)
        return found, places
    found = np.flatnonzero(np.bincount(keys, minlength=size))
    places = np.zeros(size, np.int64)
    places[found] = np.arange(len(found))
    return found, places[keys]

"""Rows chosen by a hash of their place: whoever adds up which part of them, and however often, takes the same ones."""

from base64 import b64decode, b64encode
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import Ints

Keys = NDArray[np.uint32]
Bytes = NDArray[np.uint8]

# Rows of a window that a classifier is trained and tested on.
ROWS = 500
_GOLDEN, _FIRST, _SECOND = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


def row_keys(offsets: Ints, timestamps: Ints) -> Keys:
    """(n,) a pseudorandom number for each row, by its offset, its place among the rows of that offset (which a batch
    has) and its time: SplitMix64's finaliser (Steele, Lea and Flood, 2014, OOPSLA). `offsets` (n,) never fall.

    A tenth of the time that hashing the ids would take.
    """
    values = offsets.astype(np.uint64) * _GOLDEN
    if (offsets[1:] == offsets[:-1]).any():
        values += (np.arange(len(offsets)) - np.searchsorted(offsets, offsets)).astype(np.uint64) * _SECOND
    values ^= timestamps.astype(np.uint64)
    values = (values ^ (values >> np.uint64(30))) * _FIRST
    values = (values ^ (values >> np.uint64(27))) * _SECOND
    keys: Keys = ((values ^ (values >> np.uint64(31))) >> np.uint64(32)).astype(np.uint32)
    return keys


def smallest(keys: Keys) -> Ints:
    """The places of the rows that a sketch could keep of these, at most 500."""
    found: Ints = np.argpartition(keys, ROWS)[:ROWS] if len(keys) > ROWS else np.arange(len(keys))
    return np.sort(found)


class Sketch:
    """The rows with the smallest keys, at most 500: a uniform sample, of which any parts merge to that of the whole
    (bottom-k; Cohen and Kaplan, 2007, PODC). `rows`: (k, F) bytes, by rising key.

    Rows are put in as they come, and sorted when they are asked for, or when there are more than are needed.
    """

    __slots__ = ("_keys", "_pending", "_rows", "threshold")

    def __init__(self) -> None:
        self._keys: Keys = np.zeros(0, np.uint32)
        self._rows: Bytes | None = None
        self._pending: list[tuple[Keys, Bytes]] = []
        self.threshold = 2**32
        """No key from here on is among the smallest."""

    def add(self, keys: Keys, rows: Bytes) -> None:
        """Adds rows (n, F) with their keys (n,)."""
        self._pending.append((keys, rows))
        if len(self._keys) + sum(len(own) for own, _ in self._pending) > ROWS:
            self._settle()

    @property
    def keys(self) -> Keys:
        self._settle()
        return self._keys

    @property
    def rows(self) -> Bytes:
        self._settle()
        return np.zeros((0, 0), np.uint8) if self._rows is None else self._rows

    def _settle(self) -> None:
        if not self._pending:
            return
        held = [] if self._rows is None else [(self._keys, self._rows)]
        parts = [*held, *self._pending]
        keys, rows = np.concatenate([own for own, _ in parts]), np.concatenate([own for _, own in parts])
        order = np.argsort(keys, kind="stable")[:ROWS]
        self._keys, self._rows, self._pending = keys[order], rows[order], []
        if len(order) == ROWS:
            self.threshold = int(self._keys[-1])

    def merge(self, other: "Sketch") -> None:
        if len(other.keys):
            self.add(other.keys, other.rows)

    def state(self) -> list[Any]:
        """Row length, keys and rows; the last two as bytes in base64, which are a third of numbers in JSON."""
        keys, rows = self.keys.astype("<u4"), self.rows
        return [rows.shape[1], b64encode(keys.tobytes()).decode(), b64encode(rows.tobytes()).decode()]

    @classmethod
    def from_state(cls, state: list[Any]) -> "Sketch":
        own = cls()
        keys = np.frombuffer(b64decode(state[1]), "<u4").astype(np.uint32)
        if len(keys):
            own.add(keys, np.frombuffer(b64decode(state[2]), np.uint8).reshape(len(keys), state[0]))
        return own

"""The records of one chunk, in columns: a record as an object is made only where one is asked for.

They are taken over portion after portion, as they are unpacked: of thousands at once each would be written to memory
and read back from there, and the next chunk's would lie elsewhere.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from operator import attrgetter
from typing import NamedTuple, overload

import numpy as np

from app.decoding.chunks import RawChunk
from app.decoding.columns import Ints
from streams.unpacking import Fetched

PORTION = 256
OFFSET, TIMESTAMP, KEY, VALUE, HEADERS = map(attrgetter, ("offset", "timestamp", "key", "value", "headers"))
Headers = Sequence[tuple[str, bytes | None]]


class Record(NamedTuple):
    """One of them, as `Fetched`."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Records(Sequence[Record]):
    """n records of one partition. `raw`: what is counted. `headers`: by offset, of those that have any.

    `previous`: the last offset that was fetched before them (None: nothing in this process).
    """

    __slots__ = ("headers", "previous", "raw")

    def __init__(self, raw: RawChunk, headers: dict[int, Headers], previous: int | None) -> None:
        self.raw, self.headers, self.previous = raw, headers, previous

    @classmethod
    def of(cls, records: Iterable[Fetched], previous: int | None = None) -> "Records":
        offsets = _Offsets()
        timestamps: list[int] = []
        keys: list[bytes | None] = []
        values: list[bytes | None] = []
        headers: dict[int, Headers] = {}
        rest = iter(records)
        while portion := list(islice(rest, PORTION)):
            offsets.add(portion)
            timestamps += map(TIMESTAMP, portion)
            keys += map(KEY, portion)
            values += map(VALUE, portion)
            if any(map(HEADERS, portion)):
                headers |= {one.offset: one.headers for one in portion if one.headers}
        return cls(RawChunk(offsets.array(), np.array(timestamps, np.int64), keys, values), headers, previous)

    def since(self, offset: int) -> "Records":
        """Those from `offset` on."""
        return self[int(np.searchsorted(self.raw.offsets, offset)) :]

    def __len__(self) -> int:
        return len(self.raw)

    @overload
    def __getitem__(self, place: int) -> Record: ...
    @overload
    def __getitem__(self, place: slice) -> "Records": ...
    def __getitem__(self, place: int | slice) -> "Record | Records":
        raw = self.raw
        if isinstance(place, slice):
            start, stop, _ = place.indices(len(raw))
            return Records(raw.part(start, stop), self.headers, self.previous)
        offset = int(raw.offsets[place])
        return Record(
            offset, int(raw.timestamps[place]), raw.keys[place], raw.values[place], self.headers.get(offset, ())
        )

    def __iter__(self) -> Iterator[Record]:
        return map(self.__getitem__, range(len(self.raw)))


class _Offsets:
    """Offsets mostly rise by one: then they are not looked at one by one."""

    def __init__(self) -> None:
        self._first = self._next = 0
        self._each: list[int] | None = None

    def add(self, portion: Sequence[Fetched]) -> None:
        first, last = portion[0].offset, portion[-1].offset
        if self._next == 0 and self._each is None:
            self._first = self._next = first
        if self._each is None and (first != self._next or last - first != len(portion) - 1):
            self._each = list(range(self._first, self._next))
        if self._each is not None:
            self._each += map(OFFSET, portion)
        self._next = last + 1

    def array(self) -> Ints:
        return np.arange(self._first, self._next) if self._each is None else np.array(self._each, np.int64)

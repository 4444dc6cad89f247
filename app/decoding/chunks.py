"""A fetched run of records of one partition, and how those that can't be used are told apart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import Ints

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class RawChunk:
    """n records in offset order, as fetched. `timestamps`: Kafka's, in ms, -1 where there is none."""

    offsets: Ints
    timestamps: Ints
    keys: Sequence[bytes | None]
    values: Sequence[bytes | None]

    def __len__(self) -> int:
        return len(self.values)

    def part(self, start: int, stop: int) -> "RawChunk":
        return RawChunk(
            self.offsets[start:stop], self.timestamps[start:stop], self.keys[start:stop], self.values[start:stop]
        )

    def at(self, places: Ints | NDArray[np.intp]) -> "RawChunk":
        """The records at `places`, which rise."""
        chosen = places.tolist()
        keys, values = [self.keys[place] for place in chosen], [self.values[place] for place in chosen]
        return RawChunk(self.offsets[places], self.timestamps[places], keys, values)

    def blocks(self, block_records: int) -> list["RawChunk"]:
        """The chunk cut where the offsets pass from one block of the grid to the next."""
        grid = self.offsets // block_records
        edges = [0, *(np.flatnonzero(np.diff(grid)) + 1).tolist(), len(self)]
        return [self.part(start, stop) for start, stop in pairwise(edges)]


class Reject(NamedTuple):
    """A record that can't be used: its place in the chunk, a short reason to count by, and what is wrong."""

    place: int
    reason: str
    detail: str


# Deep nesting ends in RecursionError; bytes that are no UTF-8 in UnicodeDecodeError or DecodeError, by their place.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError)


def decode_all(
    values: Sequence[bytes | None], decode: Callable[[bytes], Record]
) -> tuple[list[int], list[Record], list[Reject]]:
    """The records that decode, with their places, and the rejects. One bad record costs only itself."""
    try:
        return list(range(len(values))), [decode(value) for value in values], []  # type: ignore[arg-type]
    except UNREADABLE:
        return decode_each(values, decode)


def decode_each(
    values: Sequence[bytes | None], decode: Callable[[bytes], Record]
) -> tuple[list[int], list[Record], list[Reject]]:
    """The same, one by one."""
    places: list[int] = []
    records: list[Record] = []
    rejects: list[Reject] = []
    for index, value in enumerate(values):
        if value is None:
            rejects.append(Reject(index, "empty", "the record has no value"))
            continue
        try:
            records.append(decode(value))
        except msgspec.ValidationError as error:
            rejects.append(Reject(index, "schema", str(error)))
        except UNREADABLE as error:
            rejects.append(Reject(index, "not_json", str(error)))
        else:
            places.append(index)
    return places, records, rejects

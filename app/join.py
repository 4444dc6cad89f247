"""Labels find their predictions: what the store keeps of each id, and what a record means beside it.

The decision for a record must be the same when it is read again after a crash, although predictions and labels may then
come in another order. So an entry remembers the position (offset and row) of the prediction that counts and of each
label, and which side completed the pair: a record that finds its own position is a replay, and repeats what it did.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple, Protocol, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.columns import Ints
from app.records import Label

# A position is one integer: the record's offset, and the row within a batch.
ROW_BITS = 24


def positions(offsets: Ints, rows: Ints) -> list[int]:
    places: list[int] = ((offsets << ROW_BITS) | rows).tolist()
    return places


class Side(IntEnum):
    """Which record completed a pair."""

    NONE = 0
    PREDICTION = 1
    LABEL = 2


class Seen(msgspec.Struct, array_like=True, gc=False):
    """A label that came: where, when it says (ms), the watermark of its source before it, what it says."""

    position: int
    timestamp: int
    watermark: int
    label: Label


class Entry(msgspec.Struct, array_like=True, gc=False):
    """What is known of one id. `position` is -1 while only labels came; `record` is the prediction's JSON.

    A pair is late when its pane was over for either source as its record came. That follows from each source alone, so
    it is the same whichever of the two is read first.
    """

    position: int
    timestamp: int
    watermark: int
    record: bytes
    completed_by: Side = Side.NONE
    labels: list[Seen] = []


encode_entry = msgspec.msgpack.Encoder().encode
decode_entry = msgspec.msgpack.Decoder(Entry).decode


class Outcome(IntEnum):
    """What a record of either side turned out to be. NEW waits; MATCHED completes a pair, which counts with it."""

    NEW = 0
    MATCHED = 1
    REPEATED = 2
    DUPLICATE = 3
    CORRECTED = 4
    EXPIRED = 5


class Pair(NamedTuple):
    """Row `row` of the chunk completed `entry`."""

    row: int
    entry: Entry


class Store(Protocol):
    """Entries by id. What is put is there for the next chunk's `get`."""

    def get(self, ids: Sequence[bytes]) -> list[bytes | None]: ...

    def put(self, entries: Iterable[tuple[bytes, bytes]]) -> None: ...


@dataclass(slots=True)
class Joined:
    """Of n rows: `outcomes` (n,), and the pairs that they completed, in row order."""

    outcomes: NDArray[np.uint8]
    pairs: list[Pair] = field(default_factory=list)


Arriving = TypeVar("Arriving", Entry, Seen)
Arrives = Callable[[Entry | None, Arriving], tuple[Outcome, Entry | None]]
# An enumeration's member is looked up anew wherever it is named, and here that is for each row.
NEW, MATCHED = Outcome.NEW, Outcome.MATCHED


class Join:
    """The join of one partition over its store. An entry is forgotten `horizon_ms` of event time after its own time."""

    def __init__(self, store: Store, horizon_ms: int) -> None:
        self.store = store
        self.horizon_ms = horizon_ms

    def predictions(
        self, ids: Sequence[str], at: Sequence[int], times: Ints, records: Sequence[bytes | None], watermarks: Ints
    ) -> Joined:
        """The chunk's predictions in offset order; `at`: positions; `watermarks`: (n,) before each row."""
        fresh = map(Entry, at, times.tolist(), watermarks.tolist(), [record or b"" for record in records])
        return self._decide(ids, watermarks, fresh, prediction_arrives)

    def labels(
        self, ids: Sequence[str], at: Sequence[int], times: Ints, labels: Sequence[Label], watermarks: Ints
    ) -> Joined:
        """The chunk's labels in offset order."""
        seen = map(Seen, at, times.tolist(), watermarks.tolist(), labels)
        return self._decide(ids, watermarks, seen, label_arrives)

    def completed(self, ids: Sequence[str], side: Side) -> None:
        """Sets which side completed these pairs: of a store that was made anew, where the order of coming is lost."""
        keys = [identity.encode() for identity in ids]
        changed = []
        for key, stored in zip(keys, self.store.get(keys), strict=True):
            if stored is not None:
                entry = decode_entry(stored)
                entry.completed_by = side
                changed.append((key, encode_entry(entry)))
        self.store.put(changed)

    def _decide(
        self, ids: Sequence[str], watermarks: Ints, arriving: Iterable[Arriving], arrives: Arrives[Arriving]
    ) -> Joined:
        keys = [identity.encode() for identity in ids]
        outcomes: list[int] = [Outcome.NEW] * len(keys)
        pairs: list[Pair] = []
        changed: dict[bytes, Entry] = {}
        oldest = (np.maximum(watermarks, 0) - self.horizon_ms).tolist()
        for row, (key, stored, one) in enumerate(zip(keys, self.store.get(keys), arriving, strict=True)):
            entry = changed.get(key)
            if entry is None and stored is not None:
                entry = decode_entry(stored)
            expired = entry is not None and entry.timestamp < oldest[row]
            outcome, updated = arrives(None if expired else entry, one)
            if updated is not None:
                changed[key] = entry = updated
            if outcome is MATCHED:
                pairs.append(Pair(row, entry))  # type: ignore[arg-type]
            outcomes[row] = Outcome.EXPIRED if expired and outcome is NEW else outcome
        self.store.put(zip(changed, map(encode_entry, changed.values()), strict=True))
        return Joined(np.array(outcomes, np.uint8), pairs)


def prediction_arrives(entry: Entry | None, fresh: Entry) -> tuple[Outcome, Entry | None]:
    """The outcome, and the entry if it changed. The first prediction of an id by offset counts."""
    if entry is None:
        return NEW, fresh
    if entry.position < 0:
        fresh.completed_by, fresh.labels = Side.PREDICTION, entry.labels
        return MATCHED, fresh
    if entry.position == fresh.position:
        return (Outcome.MATCHED if entry.completed_by == Side.PREDICTION else Outcome.REPEATED), None
    return Outcome.DUPLICATE, None


def label_arrives(entry: Entry | None, seen: Seen) -> tuple[Outcome, Entry | None]:
    """The outcome, and the entry if it changed. The first label counts; a later one that differs corrects it."""
    if entry is None:
        return NEW, Entry(-1, seen.timestamp, seen.watermark, b"", Side.NONE, [seen])
    if not entry.labels:
        entry.completed_by, entry.labels = Side.LABEL, [seen]
        return MATCHED, entry
    for place, known in enumerate(entry.labels):
        if known.position == seen.position:
            return _again(entry, place), None
    # A replay finds later labels in the entry as well: what was decided then is decided by what came before.
    earlier = [known for known in entry.labels if known.position < seen.position]
    if not earlier or seen.label == earlier[-1].label or seen.timestamp <= earlier[-1].timestamp:
        return Outcome.DUPLICATE, None
    entry.labels = [*entry.labels, seen]
    return Outcome.CORRECTED, entry


def _again(entry: Entry, place: int) -> Outcome:
    if place:
        return Outcome.CORRECTED
    return Outcome.MATCHED if entry.completed_by == Side.LABEL else Outcome.REPEATED

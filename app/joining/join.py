"""Labels find their predictions: what the store keeps of each id, and what a record means beside it.

The decision for a record must be the same when it is read again after a crash, although predictions and labels may then
come in another order. So an entry remembers the position (offset and row) of the prediction that counts and of each
label, and which side completed the pair: a record that finds its own position is a replay, and repeats what it did.
A label that corrects the one before counts with the later of it and the prediction, and is remembered likewise.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import Ints
from app.decoding.records import Label
from app.joining.entries import ROW_BITS, Entry, Pair, Seen, Side, decode_entry, encode_entry
from app.joining.layouts import Layouts


class Outcome(IntEnum):
    """What a record of either side turned out to be. NEW waits; MATCHED completes a pair, which counts with it."""

    NEW = 0
    MATCHED = 1
    REPEATED = 2
    DUPLICATE = 3
    CORRECTED = 4
    EXPIRED = 5


class Store(Protocol):
    """Entries by id. What is put is there for the next chunk's `get`; an empty entry is as none.

    `layouts`: of the predictions in them, kept with the entries.
    """

    @property
    def layouts(self) -> Layouts: ...

    def get(self, ids: Sequence[bytes]) -> list[bytes | None]: ...

    def put(self, entries: Iterable[tuple[bytes, bytes]]) -> None: ...


@dataclass(slots=True)
class Joined:
    """Of n rows: `outcomes` (n,), and the pairs and the corrections that count with them, in row order."""

    outcomes: NDArray[np.uint8]
    pairs: list[Pair] = field(default_factory=list)
    corrections: list[Pair] = field(default_factory=list)


Arriving = TypeVar("Arriving", Entry, Seen)
Arrives = Callable[[Entry | None, Arriving], tuple[Outcome, Entry | None]]
# An enumeration's member is looked up anew wherever it is named, and here that is for each row.
NEW, MATCHED, CORRECTED = Outcome.NEW, Outcome.MATCHED, Outcome.CORRECTED
BY_LABEL = Side.LABEL


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

    def completed(self, sides: Mapping[str, Mapping[int, Side]]) -> None:
        """Sets which side completed pairs and corrections: in a store made anew the order of their coming is lost.

        `sides`: id -> time of the label (ms) -> side.
        """
        keys = [identity.encode() for identity in sides]
        changed = []
        for key, stored, by_time in zip(keys, self.store.get(keys), sides.values(), strict=True):
            if stored:
                entry = decode_entry(stored)
                _set_sides(entry, by_time)
                changed.append((key, encode_entry(entry)))
        self.store.put(changed)

    def forget(self, ids: Sequence[str], floors: Mapping[Side, int]) -> None:
        """Takes out what came of records at and above offsets: as if they had not been read yet. `floors`: by side.

        Which side completed a pair is forgotten with the record that did.
        """
        keys = list({identity.encode() for identity in ids})
        known = zip(keys, self.store.get(keys), strict=True)
        self.store.put([(key, _without(decode_entry(stored), floors)) for key, stored in known if stored])

    def _decide(
        self, ids: Sequence[str], watermarks: Ints, arriving: Iterable[Arriving], arrives: Arrives[Arriving]
    ) -> Joined:
        keys = [identity.encode() for identity in ids]
        known = self.store.get(keys)
        if not any(known) and len(set(keys)) == len(keys):
            # As chunks of predictions mostly are.
            self.store.put(
                [(key, encode_entry(arrives(None, one)[1])) for key, one in zip(keys, arriving, strict=True)]
            )
            return Joined(np.full(len(keys), NEW, np.uint8))
        outcomes: list[int] = [Outcome.NEW] * len(keys)
        pairs: list[Pair] = []
        corrections: list[Pair] = []
        changed: dict[bytes, Entry] = {}
        oldest = (np.maximum(watermarks, 0) - self.horizon_ms).tolist()
        for row, (key, stored, one) in enumerate(zip(keys, known, arriving, strict=True)):
            entry = changed.get(key)
            if entry is None and stored:
                entry = decode_entry(stored)
            expired = entry is not None and entry.timestamp < oldest[row]
            outcome, updated = arrives(None if expired else entry, one)
            if updated is not None:
                changed[key] = entry = updated
            if outcome is MATCHED:
                assert entry is not None
                pairs.append(Pair(row, entry))
                if entry.early:
                    corrections += [Pair(row, entry, place) for place in range(1, entry.early + 1)]
            elif outcome is CORRECTED and (place := _counts_with_label(entry, one)):
                corrections.append(Pair(row, entry, place))  # type: ignore[arg-type]
            outcomes[row] = Outcome.EXPIRED if expired and outcome is NEW else outcome
        self.store.put(zip(changed, map(encode_entry, changed.values()), strict=True))
        return Joined(np.array(outcomes, np.uint8), pairs, corrections)


def prediction_arrives(entry: Entry | None, fresh: Entry) -> tuple[Outcome, Entry | None]:
    """The outcome, and the entry if it changed. The first prediction of an id by offset counts."""
    if entry is None:
        return NEW, fresh
    if entry.position < 0:
        fresh.completed_by, fresh.labels, fresh.early = Side.PREDICTION, entry.labels, len(entry.labels) - 1
        return MATCHED, fresh
    if entry.position == fresh.position:
        return (Outcome.MATCHED if entry.completed_by == Side.PREDICTION else Outcome.REPEATED), None
    return Outcome.DUPLICATE, None


def label_arrives(entry: Entry | None, seen: Seen) -> tuple[Outcome, Entry | None]:
    """The outcome, and the entry if it changed. The first label counts; a later one that differs corrects it."""
    if entry is None:
        return NEW, Entry(-1, seen.timestamp, seen.watermark, b"", Side.NONE, [seen])
    if not entry.labels:
        entry.completed_by, entry.labels = BY_LABEL, [seen]
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


def _counts_with_label(entry: Entry | None, one: Entry | Seen) -> int:
    """The place among the labels of a correction that counts as it comes; 0 where it counts with the prediction."""
    assert entry is not None
    if entry.position < 0:
        return 0
    place = next(place for place, known in enumerate(entry.labels) if known.position == one.position)
    return place if place > entry.early else 0


def _without(entry: Entry, floors: Mapping[Side, int]) -> bytes:
    labels = [seen for seen in entry.labels if seen.position >> ROW_BITS < floors[Side.LABEL]]
    if entry.position >> ROW_BITS < floors[Side.PREDICTION] and entry.position >= 0:
        entry.labels, entry.early = labels, min(entry.early, max(len(labels) - 1, 0))
        entry.completed_by = entry.completed_by if labels else Side.NONE
        return encode_entry(entry)
    return encode_entry(Entry(-1, labels[0].timestamp, labels[0].watermark, b"", labels=labels)) if labels else b""


def _set_sides(entry: Entry, by_time: Mapping[int, Side]) -> None:
    sides = [by_time.get(known.timestamp) for known in entry.labels]
    if sides and sides[0] is not None:
        entry.completed_by = sides[0]
    entry.early = sides[1:].count(Side.PREDICTION) if entry.completed_by == Side.PREDICTION else 0

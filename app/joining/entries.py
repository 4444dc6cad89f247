"""What the join's store keeps of each id: its prediction, its labels, where they came, which side completed the pair.

An entry remembers positions (offset and row), so that a record that finds its own is known as a replay.
"""

from enum import IntEnum
from typing import NamedTuple

import msgspec

from app.decoding.columns import Ints
from app.decoding.records import Label

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
    """What is known of one id. `position` is -1 while only labels came; `record` is what is kept of the
    prediction: packed (`app/joining/packed.py`), or its JSON.

    `labels`: the first one, then those that corrected it, by rising positions and times. `early`: how many of the
    corrections came before the prediction, and so count with it.

    A pair is late when its pane was over for either source as its record came. That follows from each source alone, so
    it is the same whichever of the two is read first.
    """

    position: int
    timestamp: int
    watermark: int
    record: bytes
    completed_by: Side = Side.NONE
    labels: list[Seen] = []
    early: int = 0


encode_entry = msgspec.msgpack.Encoder().encode
decode_entry = msgspec.msgpack.Decoder(Entry).decode


class Pair(NamedTuple):
    """Row `row` of the chunk completed `entry` with its label `place`: from 1 on that corrects the one before it."""

    row: int
    entry: Entry
    place: int = 0

    @property
    def seen(self) -> Seen:
        return self.entry.labels[self.place]

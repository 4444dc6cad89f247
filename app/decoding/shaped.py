"""A chunk of prediction records whose shapes are known -> the same runs of columns as the general way makes, sooner.

Whatever is not plain, from a batch to a time in another form, is left to the general way: the whole chunk is then
decoded once more. What comes out is the same either way, so it does not matter which one a replay takes.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from app.decoding.chunks import UNREADABLE, RawChunk, Reject, decode_each
from app.decoding.columns import Ints
from app.decoding.gathered import Gathered, NotPlain
from app.decoding.members import members_of
from app.decoding.records import PredictionRecord, decode_prediction
from app.decoding.runs import Decoded, Run, values_at
from app.decoding.shapes import Shapes
from app.settings import Settings
from app.sources.watermarks import implausible

# Records that there are at once. Those of the next portion are made where these have lain, which the processor still
# has at hand: ten thousand at once take a third longer.
PORTION = 256


class Misfit(NotPlain):
    """`record` fits no shape."""

    def __init__(self, record: PredictionRecord) -> None:
        super().__init__()
        self.record = record


def decode_shaped(chunk: RawChunk, shapes: Shapes, settings: Settings) -> Decoded:
    """The chunk in columns. Raises NotPlain."""
    gathered, at, rejects = _gather(chunk.values, shapes, settings)
    offsets = chunk.offsets[at]
    parts = [(rows, own.columns(offsets[rows])) for own in gathered for rows in [own.rows()]]
    times = np.empty(len(at), np.int64)
    for rows, columns in parts:
        times[rows] = columns.timestamps
    ahead, before_1970 = implausible(times, chunk.timestamps[at], settings.windows.max_ahead_ms)
    if ahead.any() or before_1970.any():
        raise NotPlain
    runs = [Run(columns, rows, partial(values_at, chunk, at[rows])) for rows, columns in parts]
    return Decoded(runs, rejects, times, offsets)


def _gather(
    values: Sequence[bytes | None], shapes: Shapes, settings: Settings
) -> tuple[Iterable[Gathered], Ints, list[Reject]]:
    """The records of each model version, by their first ones; the places of all, (n,); and what can't be read."""
    found: dict[tuple[type, str], Gathered] = {}
    at = [np.empty(0, np.int64)]
    rejects: list[Reject] = []
    row = 0
    # Made once, and cut: numpy lets go of the interpreter for each, and another thread that waits for it is woken.
    numbers = np.arange(len(values))
    for start in range(0, len(values), PORTION):
        places, records, unreadable = _decode(values[start : start + PORTION], shapes.decode)
        for (kind, version), members, own in _groups(records):
            if (into := found.get((kind, version))) is None:
                into = found[kind, version] = Gathered(shapes.of_type[kind], version, settings)
            into.add(own, numbers[row : row + len(records)][members])
        at.append(numbers[start:][places])
        rejects += [reject._replace(place=start + reject.place) for reject in unreadable]
        row += len(records)
    return found.values(), np.concatenate(at), rejects


def _decode(
    values: Sequence[bytes | None], decode: Callable[[bytes], Any]
) -> tuple[slice | Ints, list[Any], list[Reject]]:
    try:
        return slice(len(values)), list(map(decode, values)), []  # type: ignore[arg-type]
    except UNREADABLE:
        places, records, rejects = decode_each(values, partial(_fitting, decode))
        return np.array(places, np.int64), records, rejects


def _fitting(decode: Callable[[bytes], Any], value: bytes) -> Any:
    """A record that nothing can read is a reject here as well; another one that has no shape is none of ours."""
    try:
        return decode(value)
    except UNREADABLE:
        raise Misfit(decode_prediction(value)) from None


def _groups(records: Sequence[Any]) -> Iterable[tuple[tuple[type, str], slice | Ints, Sequence[Any]]]:
    """Type and version, rows and records of each model version, by their first ones."""
    kinds, versions = set(map(type, records)), {record.version for record in records}
    if len(kinds) == len(versions) == 1:
        return [((kinds.pop(), versions.pop()), slice(len(records)), records)]
    members = members_of([(type(record), record.version) for record in records])
    return [(name, np.array(rows), [records[row] for row in rows]) for name, rows in members.items()]

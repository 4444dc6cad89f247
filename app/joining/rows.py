"""Decoded chunks as the join takes them: rows with their ids and positions, in offset order."""

from collections.abc import Sequence, Set
from typing import NamedTuple

import numpy as np

from app.decoding.columns import Ints
from app.decoding.label_rows import LabelRows
from app.decoding.runs import Decoded, Run
from app.joining.entries import positions
from app.joining.join import Join, Joined
from app.joining.layouts import Layouts
from app.joining.packed import pack
from app.settings import Settings


class JoinedRows(NamedTuple):
    """`rows`: (n,) the places among all good rows of the chunk of those that were joined."""

    rows: Ints
    joined: Joined


class Wanted(NamedTuple):
    """Of rows at and above the offset `floor` only those of these `ids`."""

    floor: int
    ids: Set[str]

    def rows(self, offsets: Ints, ids: Sequence[str]) -> Ints:
        kept = offsets < self.floor
        if not kept.all():
            kept |= np.array([identity in self.ids for identity in ids])
        return np.flatnonzero(kept)


def join_predictions(
    join: Join, decoded: Decoded, watermarks: Ints, settings: Settings, wanted: Wanted | None = None
) -> JoinedRows | None:
    """The predictions of models that are joined; None where there are none. `watermarks`: before each good row."""
    runs = [run for run in decoded.runs if settings.model(run.columns.model).join]
    if not runs:
        return None
    rows, ids, records = _in_row_order(runs, join.store.layouts)
    numbers = rows - np.searchsorted(decoded.offsets, decoded.offsets[rows], side="left")
    if wanted is not None:
        kept = wanted.rows(decoded.offsets[rows], ids)
        rows, numbers = rows[kept], numbers[kept]
        ids, records = [ids[row] for row in kept.tolist()], [records[row] for row in kept.tolist()]
    at = positions(decoded.offsets[rows], numbers)
    return JoinedRows(rows, join.predictions(ids, at, decoded.times[rows], records, watermarks[rows]))


def join_labels(join: Join, labels: LabelRows, watermarks: Ints, wanted: Wanted | None = None) -> Joined:
    at = positions(labels.offsets, labels.numbers)
    if wanted is None:
        return join.labels(labels.ids, at, labels.times, labels.labels, watermarks)
    kept = wanted.rows(labels.offsets, labels.ids)
    ids, places, said = ([column[row] for row in kept.tolist()] for column in (labels.ids, at, labels.labels))
    return join.labels(ids, places, labels.times[kept], said, watermarks[kept])


def _in_row_order(runs: list[Run], layouts: Layouts) -> tuple[Ints, list[str], list[bytes | None]]:
    """Rows, ids and records of all runs together, in offset order: the first of an id counts, whatever its model."""
    if len(runs) == 1:
        return runs[0].rows, runs[0].columns.ids, _records(runs[0], layouts)
    rows = np.concatenate([run.rows for run in runs])
    ids = [identity for run in runs for identity in run.columns.ids]
    records = [record for run in runs for record in _records(run, layouts)]
    order = np.argsort(rows, kind="stable")
    places = order.tolist()
    return rows[order], [ids[place] for place in places], [records[place] for place in places]


def _records(run: Run, layouts: Layouts) -> list[bytes | None]:
    packed = pack(run.columns, layouts)
    return list(run.records()) if packed is None else list(packed)

"""The rows of a file that a baseline is fitted from."""

import hashlib
import heapq
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.decoding.tabulate import class_name
from app.drift.fitting import ReferenceData
from app.files import Table
from app.files.checked import RowMistake, name_in, number_in, time_in
from app.files.layout import PROBABILITY_OF, ROLES, probability_columns
from app.files.rows import features_of
from app.settings import Task

# Deciles and frequent categories of a larger sample are hardly better, and this many rows fit into memory.
MOST_ROWS = 100_000
OUTCOMES = ("prediction", "label")

Row = dict[str, Any]


@dataclass(slots=True)
class ReferenceRows:
    """`data`: what was chosen; `rows`: in the file; `mistakes` of those left out."""

    data: ReferenceData
    rows: int
    mistakes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Columns:
    """What the file's columns are. `shares`: column -> class; `negative`: the class that has the rest of one column."""

    not_features: frozenset[str]
    segments: tuple[str, ...]
    shares: Mapping[str, str]
    negative: str | None


def read_reference(
    table: Table,
    task: Task | None,
    ignore: Collection[str],
    advanced: Callable[[int], None],
    most: int = MOST_ROWS,
    *,
    positive: str | None = None,
    segments: Sequence[str] = (),
) -> ReferenceRows:
    """At most `most` rows, chosen by the hash of their place: any file gives the same ones each time.

    `positive`: the class that a column `probability` is of. `segments`: columns that are no features. Times that can't
    be read are left out, all of them: a baseline does without. Raises UnreadableFile for probabilities of no class.
    """
    used = [name for name in table.columns if name not in ignore]
    shares, negative = probability_columns(table, used, positive)
    named = (name for name in table.columns if name.startswith(PROBABILITY_OF))
    columns = _Columns(frozenset([*ROLES, *ignore, *named, *segments]), tuple(segments), shares, negative)
    found = ReferenceRows(ReferenceData({}), 0)
    kept = heapq.nlargest(most, _ranked(table, columns, found, advanced), key=lambda ranked: ranked[:2])
    rows = [row for _, _, row in sorted(kept, key=lambda ranked: ranked[1])]
    classes = task == "classification" or bool(shares)
    found.data = _data(rows, columns, classes, set(OUTCOMES).intersection(used))
    return found


def _data(rows: Sequence[Row], columns: _Columns, classes: bool, outcomes: Collection[str]) -> ReferenceData:
    """`outcomes`: which of them the file has."""
    names = dict.fromkeys(name for row in rows for name in row["features"])
    told: dict[str, list[Any]] = {}
    for name in OUTCOMES:
        values = [row[name] for row in rows] if name in outcomes else []
        told[name] = [class_name(value) for value in values] if classes else [_plain(value) for value in values]
    times = [row["timestamp"] for row in rows]
    shared = sorted({*columns.shares.values(), *([columns.negative] if columns.negative is not None else [])})
    return ReferenceData(
        features={name: [_plain(row["features"].get(name)) for row in rows] for name in names},
        predictions=told["prediction"],
        probabilities={name: [row["probabilities"].get(name) for row in rows] for name in shared},
        labels=told["label"],
        timestamps=None if None in times else times,
        segments={name: [row["segments"][name] for row in rows] for name in columns.segments},
    )


def _ranked(
    table: Table, columns: _Columns, found: ReferenceRows, advanced: Callable[[int], None]
) -> Iterator[tuple[bytes, int, Row]]:
    for chunk in table.chunks():
        found.rows += len(chunk.rows) + len(chunk.mistakes)
        found.mistakes += [f"{table.path}:{mistake.row}: {mistake.what}" for mistake in chunk.mistakes]
        for number, row in zip(chunk.numbers, chunk.rows, strict=True):
            try:
                chosen = _chosen(row, columns)
            except RowMistake as mistake:
                found.mistakes.append(f"{table.path}:{number}: {mistake}")
                continue
            yield hashlib.blake2b(str(number).encode(), digest_size=8).digest(), number, chosen
        advanced(len(chunk.rows) + len(chunk.mistakes))


def _chosen(row: Row, columns: _Columns) -> Row:
    return {
        "features": features_of(row, columns.not_features),
        "probabilities": _probabilities(row, columns),
        "timestamp": _time(row),
        "segments": {name: name_in(name, row.get(name)) for name in columns.segments},
        **{name: row.get(name) for name in OUTCOMES},
    }


def _probabilities(row: Row, columns: _Columns) -> dict[str, float]:
    shares: dict[str, float] = {}
    for column, name in columns.shares.items():
        if (share := number_in(column, row.get(column), least=0, most=1)) is not None:
            shares |= {name: float(share)} if columns.negative is None else {name: share, columns.negative: 1 - share}
    return shares


def _time(row: Row) -> int | None:
    try:
        return time_in("timestamp", row.get("timestamp"))
    except RowMistake:
        return None


def _plain(value: Any) -> Any:
    """As the decoder of events gives it: numbers are floats."""
    return float(value) if type(value) is int else value

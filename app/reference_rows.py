"""The rows of a file that a baseline is fitted from."""

import hashlib
import heapq
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from app.checked import RowMistake
from app.files import Table
from app.layout import PROBABILITY_OF, ROLES
from app.rows import features_of
from app.settings import Task
from app.tabulate import class_name

# Deciles and frequent categories of a larger sample are hardly better, and this many rows fit into memory.
MOST_ROWS = 100_000

Row = dict[str, Any]


@dataclass(slots=True)
class ReferenceRows:
    """Features by name and predictions, of the same rows; `rows` in the file, `mistakes` of those left out."""

    features: dict[str, list[Any]]
    predictions: list[Any]
    rows: int
    mistakes: list[str] = field(default_factory=list)


def read_reference(
    table: Table, task: Task | None, ignore: Collection[str], advanced: Callable[[int], None], most: int = MOST_ROWS
) -> ReferenceRows:
    """At most `most` rows, chosen by the hash of their place: any file gives the same ones each time."""
    found = ReferenceRows({}, [], 0)
    kept = heapq.nlargest(most, _ranked(table, frozenset(ignore), found, advanced), key=lambda ranked: ranked[:2])
    rows = [row for _, _, row in sorted(kept, key=lambda ranked: ranked[1])]
    names = dict.fromkeys(name for row in rows for name in row if name != "prediction")
    found.features = {name: [_plain(row.get(name)) for row in rows] for name in names}
    classes = task == "classification" or any(name.startswith("probability") for name in table.columns)
    predictions = [row.get("prediction") for row in rows]
    found.predictions = [class_name(p) for p in predictions] if classes else [_plain(p) for p in predictions]
    return found


def _ranked(
    table: Table, ignore: frozenset[str], found: ReferenceRows, advanced: Callable[[int], None]
) -> Iterator[tuple[bytes, int, Row]]:
    others = {*ROLES, *ignore, *(name for name in table.columns if name.startswith(PROBABILITY_OF))}
    for chunk in table.chunks():
        found.rows += len(chunk.rows) + len(chunk.mistakes)
        found.mistakes += [f"{table.path}:{mistake.row}: {mistake.what}" for mistake in chunk.mistakes]
        for number, row in zip(chunk.numbers, chunk.rows, strict=True):
            try:
                chosen = features_of(row, others) | {"prediction": row.get("prediction")}
            except RowMistake as mistake:
                found.mistakes.append(f"{table.path}:{number}: {mistake}")
                continue
            yield hashlib.blake2b(str(number).encode(), digest_size=8).digest(), number, chosen
        advanced(len(chunk.rows) + len(chunk.mistakes))


def _plain(value: Any) -> Any:
    """As the decoder of events gives it: numbers are floats."""
    return float(value) if type(value) is int else value

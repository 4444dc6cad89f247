"""What a file of rows is to its readers, whatever its format."""

import gzip
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol, cast

CHUNK_ROWS = 1000


class UnreadableFile(ValueError):
    """The file as a whole can't be used; the text is for the user."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with one row."""

    row: int
    what: str


@dataclass(slots=True)
class Chunk:
    """Rows in the file's order. `numbers`: of each, its line in a text file, else counted from 1; they name a row for
    people and identify it. A row is column -> value: None where missing, bool, int, float, str, a list, a datetime.
    """

    numbers: list[int] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)


class Table(Protocol):
    """`columns` in the file's order; `size`: all rows, the unreadable ones as well; `first`: the lowest number."""

    path: Path
    columns: list[str]
    size: int
    first: int

    def chunks(self) -> Iterator[Chunk]:
        """All rows, from the beginning at each call, a bounded number at a time."""
        ...

    def distinct(self, columns: Collection[str], limit: int) -> set[Any]:
        """The values that the columns have together, missing ones left out; at most `limit` of them are looked for."""
        ...


def open_bytes(path: Path) -> IO[bytes]:
    """The file's content, unpacked where the name ends in .gz."""
    return cast("IO[bytes]", gzip.open(path)) if path.suffix == ".gz" else path.open("rb")

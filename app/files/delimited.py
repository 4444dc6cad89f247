"""Text with a header line and cells between commas, semicolons, tabs or bars.

By Python's own reader: it knows the line of each row, and one bad row costs only itself. Types are found out from the
whole file first, a column at a time, so that a row's values don't depend on where it stands.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from app.files.cells import Kind, Tally, converter
from app.files.table import CHUNK_ROWS, Chunk, Mistake, UnreadableFile, open_bytes

DELIMITERS = ",;\t|"
LONGEST_CELL = 16 * 1024 * 1024
NOT_UTF8 = "not UTF-8"
SURROGATES = re.compile("[\ud800-\udfff]")


class DelimitedTable:
    """A CSV file. A column is numbers, truth values or text: see `app/files/cells.py`."""

    first = 2

    def __init__(self, path: Path, kind_of: Callable[[str], Kind | None] = lambda name: None) -> None:
        self.path = path
        with self._text() as file:
            header = file.readline()
        self._delimiter = max(DELIMITERS, key=header.count)
        self.columns = self._header()
        self.size = 0
        tallies = [Tally() for _ in self.columns]
        for _, rows, mistakes in self._batches():
            self.size += len(rows) + len(mistakes)
            if rows:
                for tally, cells in zip(tallies, zip(*rows, strict=True), strict=True):
                    tally.add(cells)
        self._converters: list[Callable[[Sequence[str]], list[Any]]] = [
            converter(kind_of(name) or tally.kind()) for name, tally in zip(self.columns, tallies, strict=True)
        ]

    def chunks(self) -> Iterator[Chunk]:
        for lines, rows, mistakes in self._batches():
            yield Chunk(lines, self._values(rows) if rows else [], mistakes)

    def _values(self, rows: list[list[str]]) -> list[dict[str, Any]]:
        columns = zip(*rows, strict=True)
        converted = [convert(cells) for convert, cells in zip(self._converters, columns, strict=True)]
        return [dict(zip(self.columns, row, strict=True)) for row in zip(*converted, strict=True)]

    def distinct(self, columns: Collection[str], limit: int) -> set[Any]:
        places = [self.columns.index(name) for name in columns]
        found: set[Any] = set()
        for _, rows, _ in self._batches():
            for place in places:
                convert = self._converters[place]
                found |= set(convert(list({cells[place] for cells in rows})))
            if len(found) > limit:
                break
        return found - {None}

    def _text(self) -> io.TextIOWrapper:
        # What is not UTF-8 is kept as it is, so that only its own row is refused.
        return io.TextIOWrapper(open_bytes(self.path), encoding="utf-8-sig", errors="surrogateescape", newline="")

    def _header(self) -> list[str]:
        with self._text() as file:
            names: list[str] = next(self._reader(file), [])
        if not any(names):
            raise UnreadableFile(f"{self.path}: no header line")
        if not _is_utf8("".join(names)) or "\0" in "".join(names):
            raise UnreadableFile(f"{self.path}: {NOT_UTF8}")
        names = [name.strip() for name in names]
        repeated = [name for name, count in Counter(names).items() if count > 1]
        if repeated:
            raise UnreadableFile(f"{self.path}: the header names {repeated[0]!r} twice")
        return names

    def _reader(self, file: io.TextIOWrapper) -> Any:
        csv.field_size_limit(LONGEST_CELL)
        return csv.reader(file, delimiter=self._delimiter)

    def _batches(self) -> Iterator[tuple[list[int], list[list[str]], list[Mistake]]]:
        """(lines, cells, mistakes) of well-formed rows, and what is wrong with the others."""
        with self._text() as file:
            rows = self._rows(self._reader(file))
            next(rows, None)  # the header
            while batch := list(islice(rows, CHUNK_ROWS)):
                good = [(line, cells) for line, cells in batch if isinstance(cells, list)]
                bad = [Mistake(line, cells) for line, cells in batch if isinstance(cells, str)]
                yield [line for line, _ in good], [cells for _, cells in good], bad

    def _rows(self, reader: Any) -> Iterator[tuple[int, list[str] | str]]:
        """The line at which each row begins, with its cells or with what is wrong. Empty lines are no rows."""
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield line, str(error)
                continue
            if cells:
                yield line, self._fault(cells, reader.line_num - line) or cells

    def _fault(self, cells: Sequence[str], more_lines: int) -> str | None:
        if len(cells) == len(self.columns):
            return None if _is_utf8("".join(cells)) else NOT_UTF8
        spread = f", over {more_lines + 1} lines: is a quote not closed?" if more_lines else ""
        return f"{len(cells)} cells, and the header has {len(self.columns)}{spread}"


def _is_utf8(text: str) -> bool:
    return text.isascii() or not SURROGATES.search(text)

"""One JSON object a line, its keys the columns."""

from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from app.files.table import CHUNK_ROWS, Chunk, Mistake, open_bytes


class JsonLinesTable:
    """A file of JSON lines. A key that a line lacks is not in its row; `columns` are those of all lines."""

    first = 1

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        names: dict[str, None] = {}
        for chunk in self.chunks():
            self.size += len(chunk.rows) + len(chunk.mistakes)
            for row in chunk.rows:
                names |= dict.fromkeys(row)
        self.columns = list(names)

    def chunks(self) -> Iterator[Chunk]:
        with open_bytes(self.path) as file:
            lines = ((number, line) for number, line in enumerate(file, 1) if not line.isspace())
            while batch := list(islice(lines, CHUNK_ROWS)):
                yield _chunk(batch)

    def distinct(self, columns: Collection[str], limit: int) -> set[Any]:
        found: set[Any] = set()
        for chunk in self.chunks():
            values = (row.get(name) for row in chunk.rows for name in columns)
            found |= {value for value in values if isinstance(value, str | int | float)}
            if len(found) > limit:
                break
        return found


def _chunk(lines: list[tuple[int, bytes]]) -> Chunk:
    chunk = Chunk()
    for number, line in lines:
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            chunk.mistakes.append(Mistake(number, f"no JSON: {error}"))
            continue
        if isinstance(row, dict):
            chunk.numbers.append(number)
            chunk.rows.append(row)
        else:
            chunk.mistakes.append(Mistake(number, "no JSON object"))
    return chunk

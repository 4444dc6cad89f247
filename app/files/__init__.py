"""Tables in files, read row by row: CSV, Parquet and JSON lines."""

import zlib
from collections.abc import Callable
from pathlib import Path

from app.files.cells import Kind
from app.files.delimited import DelimitedTable
from app.files.jsonlines import JsonLinesTable
from app.files.parquet import ParquetTable
from app.files.table import Chunk as Chunk
from app.files.table import Mistake as Mistake
from app.files.table import Table, UnreadableFile

__all__ = ["Chunk", "Kind", "Mistake", "Table", "UnreadableFile", "open_table"]

DELIMITED = (".csv", ".tsv", ".txt")
JSON_LINES = (".jsonl", ".ndjson", ".json")
PARQUET = (".parquet", ".pq")


def open_table(path: Path, kind_of: Callable[[str], Kind | None] = lambda name: None) -> Table:
    """The file as a table, by its ending (CSV and JSON lines also with .gz behind). Raises UnreadableFile.

    `kind_of`: what a column's cells are, by its name, where the file has no types of its own; None: found out.
    """
    ending = Path(path.stem).suffix if path.suffix == ".gz" else path.suffix
    try:
        if ending.lower() in DELIMITED:
            return DelimitedTable(path, kind_of)
        if ending.lower() in JSON_LINES:
            return JsonLinesTable(path)
        if ending.lower() in PARQUET:
            return ParquetTable(path)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableFile(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    known = ", ".join((*DELIMITED, *JSON_LINES, *PARQUET))
    raise UnreadableFile(f"{path}: the name should end in one of {known}")

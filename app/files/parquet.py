"""Parquet: the types are the file's own."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from app.files.arrow import values
from app.files.table import CHUNK_ROWS, Chunk, UnreadableFile

# Of the file at a time while a column is read: a row group may be as large as the file.
BUFFER_BYTES = 1024 * 1024
DISTINCT_ROWS = 65536


class ParquetTable:
    """A Parquet file. Times without a zone are UTC; decimals become numbers."""

    first = 1

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._file() as file:
            self.schema: pa.Schema = file.schema_arrow
            self.columns: list[str] = list(self.schema.names)
            self.size: int = file.metadata.num_rows
        repeated = [name for name in self.columns if self.columns.count(name) > 1]
        if repeated:
            raise UnreadableFile(f"{path}: two columns are named {repeated[0]!r}")

    def chunks(self) -> Iterator[Chunk]:
        number = self.first
        for columns in self._batches(self.columns):
            rows = [dict(zip(self.columns, cells, strict=True)) for cells in zip(*columns, strict=True)]
            yield Chunk(list(range(number, number + len(rows))), rows)
            number += len(rows)

    def distinct(self, columns: Collection[str], limit: int) -> set[Any]:
        found: set[Any] = set()
        plain = [name for name in columns if not pa.types.is_nested(self.schema.field(name).type)]
        for batch in self.batches(plain, DISTINCT_ROWS):
            for column in batch.columns:
                found |= {value for value in values(column.unique()) if isinstance(value, str | int | float)}
            if len(found) > limit:
                break
        return found

    def batches(self, columns: Collection[str], rows: int) -> Iterator[pa.RecordBatch]:
        """The columns in the file's order of rows, at most `rows` at a time."""
        with self._file() as file:
            try:
                yield from file.iter_batches(rows, columns=list(columns))
            except (pa.ArrowException, OSError) as error:
                raise UnreadableFile(f"{self.path}: damaged: {str(error).splitlines()[0]}") from error

    def _batches(self, columns: Collection[str]) -> Iterator[list[list[Any]]]:
        """The values of the columns, a bounded number of rows at a time."""
        for batch in self.batches(columns, CHUNK_ROWS):
            yield [values(batch.column(name)) for name in columns]

    def _file(self) -> pq.ParquetFile:
        try:
            # What is buffered beforehand is kept until the file's end.
            return pq.ParquetFile(self.path, buffer_size=BUFFER_BYTES, pre_buffer=False)
        except pa.ArrowInvalid as error:
            raise UnreadableFile(f"{self.path}: no Parquet file: {str(error).splitlines()[0]}") from error

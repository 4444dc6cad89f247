"""Parquet: the types are the file's own."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from app.files.table import CHUNK_ROWS, Chunk, UnreadableFile


class ParquetTable:
    """A Parquet file. Times without a zone are UTC; decimals become numbers."""

    first = 1

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._file() as file:
            self.columns: list[str] = list(file.schema_arrow.names)
            self.size: int = file.metadata.num_rows
        repeated = [name for name in self.columns if self.columns.count(name) > 1]
        if repeated:
            raise UnreadableFile(f"{path}: two columns are named {repeated[0]!r}")

    def chunks(self) -> Iterator[Chunk]:
        number = self.first
        for columns in self._batches(self.columns):
            rows = [dict(zip(self.columns, values, strict=True)) for values in zip(*columns, strict=True)]
            yield Chunk(list(range(number, number + len(rows))), rows)
            number += len(rows)

    def distinct(self, columns: Collection[str], limit: int) -> set[Any]:
        found: set[Any] = set()
        for batch in self._batches(columns):
            found |= {value for column in batch for value in column if isinstance(value, str | int | float)}
            if len(found) > limit:
                break
        return found

    def _batches(self, columns: Collection[str]) -> Iterator[list[list[Any]]]:
        """The values of the columns, a bounded number of rows at a time."""
        with self._file() as file:
            try:
                for batch in file.iter_batches(CHUNK_ROWS, columns=list(columns)):
                    yield [_values(batch.column(name)) for name in columns]
            except (pa.ArrowException, OSError) as error:
                raise UnreadableFile(f"{self.path}: damaged: {str(error).splitlines()[0]}") from error

    def _file(self) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(self.path)
        except pa.ArrowInvalid as error:
            raise UnreadableFile(f"{self.path}: no Parquet file: {str(error).splitlines()[0]}") from error


def _values(column: pa.Array) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        # Finer than milliseconds is not event time, and Python has no nanoseconds.
        column = column.cast(pa.timestamp("ms", "UTC"), safe=False)
    elif pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    values: list[Any] = column.to_pylist()
    return values

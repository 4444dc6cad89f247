"""Whether a file's rows can be replayed as they stand: in the order of their time, and each id once.

Looks at two columns, in bounded memory: hashes of the ids lie in a temporary file, and are compared a share at a time.
"""

import tempfile
from collections.abc import Iterator
from typing import IO

import numpy as np

from app.decoding.columns import Ints
from app.files.arrow import values
from app.files.parquet import ParquetTable
from app.replay.columns import ColumnReader, unreadable

ROWS = 65536
# Hashes that are compared at a time: 4 MiB of them.
SHARE = 512 * 1024


def obstacle(table: ParquetTable, reader: ColumnReader) -> str | None:
    """Why the rows can't be read as columns but have to be sorted and joined, for people; None when they can."""
    if (column := unreadable(table, reader.layout)) is not None:
        return f"the column {column!r} is of an unusual type"
    if not in_order(table, reader):
        return "the rows are not in the order of their time"
    return None if distinct_ids(table) else "a prediction_id is in several rows"


def in_order(table: ParquetTable, reader: ColumnReader) -> bool:
    """Whether the times of the rows rise, those that are none left out."""
    name = reader.layout.time_column
    if name is None:
        return True
    latest = 0  # no time is before it
    for batch in table.batches([name], ROWS):
        times, none = reader.cells(batch).times(name)
        times = np.concatenate(([latest], times[~none]))
        if (np.diff(times) < 0).any():
            return False
        latest = int(times[-1])
    return True


def distinct_ids(table: ParquetTable, share: int = SHARE) -> bool:
    """Whether no id is in two rows. In rare cases says no although it is so: two ids of one hash."""
    if "prediction_id" not in table.columns:
        return True
    with tempfile.TemporaryFile(prefix="inferwatch-") as file:
        count = 0
        for batch in table.batches(["prediction_id"], ROWS):
            ids = [one for one in values(batch.column(0)) if one is not None and one != ""]
            np.fromiter(map(hash, ids), np.int64, len(ids)).tofile(file)
            count += len(ids)
        shares = -(-count // share)
        return all(_distinct(file, place, shares, share) for place in range(shares))


def _distinct(file: IO[bytes], place: int, shares: int, share: int) -> bool:
    """Whether those hashes are distinct of which the remainder by `shares` is `place`."""
    own = np.sort(np.concatenate([part[part % shares == place] for part in _parts(file, share)]))
    return not bool((own[1:] == own[:-1]).any())


def _parts(file: IO[bytes], share: int) -> Iterator[Ints]:
    file.seek(0)
    while octets := file.read(8 * share):
        yield np.frombuffer(octets, np.int64)

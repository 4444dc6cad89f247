"""What a chunk of prediction records becomes: runs of columns, one model version and task each, and the rejects."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.decoding.chunks import RawChunk, Reject
from app.decoding.columns import Ints, PredictionColumns


@dataclass(slots=True)
class Run:
    """Rows of one model version in offset order.

    `rows`: (n,) their places among all good rows of the chunk. `records`: gives each row's own JSON, made only where
    the join wants it.
    """

    columns: PredictionColumns
    rows: Ints
    records: Callable[[], Sequence[bytes | None]]


@dataclass(slots=True)
class Decoded:
    """`times`, `offsets`: (rows,) of all good rows in offset order, over all runs."""

    runs: list[Run]
    rejects: list[Reject]
    times: Ints
    offsets: Ints


def values_at(chunk: RawChunk, places: Ints) -> list[bytes | None]:
    """The JSON of the records at these places of the chunk."""
    return [chunk.values[place] for place in places.tolist()]

"""Fetched records, of whatever client, as one chunk."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from app.decoding.chunks import RawChunk


def raw_chunk(records: Sequence[Any]) -> RawChunk:
    """`records`: at least one, each with `offset`, `timestamp`, `key` and `value`."""
    first, last = records[0].offset, records[-1].offset
    # Offsets rise, so that they are all there if there is room for no more.
    whole = last - first == len(records) - 1
    return RawChunk(
        np.arange(first, last + 1) if whole else np.array([record.offset for record in records], np.int64),
        np.array([record.timestamp for record in records], np.int64),
        [record.key for record in records],
        [record.value for record in records],
    )

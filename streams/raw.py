"""Fetched records, of whatever client, as one chunk."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from app.decoding.chunks import RawChunk

TIMESTAMP, KEY, VALUE = map(attrgetter, ("timestamp", "key", "value"))


def raw_chunk(records: Sequence[Any]) -> RawChunk:
    """`records`: at least one, each with `offset`, `timestamp`, `key` and `value`."""
    first, last = records[0].offset, records[-1].offset
    # Offsets rise, so that they are all there if there is room for no more.
    whole = last - first == len(records) - 1
    return RawChunk(
        np.arange(first, last + 1) if whole else np.array([record.offset for record in records], np.int64),
        np.fromiter(map(TIMESTAMP, records), np.int64, len(records)),
        list(map(KEY, records)),
        list(map(VALUE, records)),
    )

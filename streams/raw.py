"""Fetched records, of whatever client, as one chunk."""

from collections.abc import Iterable
from typing import Any

from app.decoding.chunks import RawChunk
from streams.records import Records


def raw_chunk(records: Iterable[Any]) -> RawChunk:
    """`records`: each with `offset`, `timestamp`, `key`, `value` and `headers`."""
    return Records.of(records).raw

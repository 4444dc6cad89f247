from typing import Any

import numpy as np
import orjson

from app.decoding.chunks import RawChunk
from app.decoding.resource_rows import ResourceRows, decode_resources

NOW = 1_795_176_000_000
READING = {"model": "credit", "version": "3", "instance": "a", "timestamp": NOW, "cpu_percent": 12.5}


def decode(*values: dict[str, Any]) -> ResourceRows:
    encoded = [orjson.dumps(value) for value in values]
    count = len(encoded)
    return decode_resources(RawChunk(np.arange(count), np.full(count, NOW), [None] * count, encoded), 300_000)


def test_readings_become_columns_of_their_version() -> None:
    rows = decode(
        READING, READING | {"version": "4"}, READING | {"instance": "b", "memory_bytes": 7, "cpu_percent": None}
    )
    runs = {columns.version: columns for columns, _ in rows.runs}
    assert runs["3"].instances == ["a", "b"]
    np.testing.assert_array_equal(runs["3"].cpu_percent, [12.5, np.nan])
    np.testing.assert_array_equal(runs["3"].memory_bytes, [np.nan, 7.0])
    assert [places.tolist() for _, places in rows.runs] == [[0, 2], [1]]


def test_a_damaged_reading_costs_only_itself() -> None:
    unnamed = {name: value for name, value in READING.items() if name != "version"}
    rows = decode(READING, unnamed, READING | {"cpu_percent": "much"}, READING | {"timestamp": NOW + 300_001})
    assert [(reject.place, reject.reason) for reject in rows.rejects] == [
        (1, "schema"),
        (2, "schema"),
        (3, "timestamp_out_of_range"),
    ]
    assert len(rows.times) == 1

from typing import Any

import numpy as np
import orjson

from app.chunks import RawChunk
from app.label_rows import LabelRows, decode_labels

NOW = 1_795_176_000_000


def decode(*values: dict[str, Any]) -> LabelRows:
    count = len(values)
    encoded = [orjson.dumps(value) for value in values]
    return decode_labels(RawChunk(np.arange(50, 50 + count), np.full(count, NOW), [None] * count, encoded), 300_000)


def label(name: str, time: float | None = NOW) -> dict[str, Any]:
    return {"prediction_id": name, "label": "yes", "timestamp": time}


def test_rows_of_labels_and_batches_keep_their_offsets_and_places() -> None:
    batch = {"prediction_ids": ["b", "c"], "labels": [1, True], "timestamps": [NOW - 2, NOW - 1]}
    rows = decode(label("a"), batch, label("d", None))
    assert (rows.ids, rows.labels) == (["a", "b", "c", "d"], ["yes", 1.0, True, "yes"])
    assert rows.times.tolist() == [NOW, NOW - 2, NOW - 1, NOW]
    assert (rows.offsets.tolist(), rows.numbers.tolist()) == ([50, 51, 51, 52], [0, 0, 1, 0])
    assert rows.rejects == []


def test_a_label_that_cannot_be_used_costs_only_its_record() -> None:
    early = {"prediction_ids": ["x", "y"], "labels": [1, 2], "timestamps": [NOW, -1000]}
    uneven = {"prediction_ids": ["x", "y"], "labels": [1]}
    rows = decode(
        label("a"), label("b", NOW + 300_001), early, uneven, {"label": 1}, {"prediction_id": "c"}, label("d")
    )
    assert (rows.ids, rows.offsets.tolist(), rows.numbers.tolist()) == (["a", "d"], [50, 56], [0, 0])
    assert {(reject.place, reject.reason) for reject in rows.rejects} == {
        (1, "timestamp_ahead"),
        (2, "timestamp_out_of_range"),
        (3, "uneven_batch"),
        (4, "missing_id"),
        (5, "missing_label"),
    }

from typing import Any

import numpy as np
import orjson
from hypothesis import given
from hypothesis import strategies as st

from app.decoding.chunks import RawChunk
from app.decoding.label_rows import LabelRows, decode_any_labels, decode_labels, plain_labels

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


def test_labels_without_a_letter_of_time_cost_only_themselves() -> None:
    assert [reject.reason for reject in decode({"prediction_id": "a", "label": "yes", "timestamp": ""}).rejects] == [
        "schema"
    ]


TIMES = st.sampled_from(
    [
        "2026-11-20T12:00:00Z",
        "2026-11-20T12:00:01.5Z",
        "2026-11-20T14:00:00+02:00",
        "2031-01-01T00:00:00Z",
        "soon",
        "",
        5,
        None,
    ]
)
RECORDS = st.fixed_dictionaries(
    {"prediction_id": st.sampled_from(["a", "b", "é"])},
    optional={
        "label": st.one_of(
            st.none(), st.booleans(), st.integers(-3, 3), st.floats(-9, 9), st.sampled_from(["yes", "no"])
        ),
        "timestamp": st.one_of(st.just("2026-11-20T12:00:00Z"), TIMES),
        "prediction_ids": st.one_of(st.none(), st.just(["c", "d"])),
        "labels": st.one_of(st.none(), st.just(["yes", "no"])),
        "more": st.integers(-5, 5),
    },
)


@given(st.lists(st.one_of(RECORDS, st.just(b"{")), max_size=5))
def test_plain_labels_are_read_as_all_others_are(values: list[Any]) -> None:
    encoded = [value if isinstance(value, bytes) else orjson.dumps(value) for value in values]
    chunk = RawChunk(np.arange(len(values)), np.full(len(values), NOW), [None] * len(values), encoded)
    found, general = decode_labels(chunk, 300_000), decode_any_labels(chunk, 300_000)
    for name in ("times", "offsets", "numbers"):
        np.testing.assert_array_equal(getattr(found, name), getattr(general, name))
    assert (found.ids, list(found.labels), found.rejects) == (general.ids, list(general.labels), general.rejects)


def test_labels_of_plain_form_take_the_short_way() -> None:
    values = [
        orjson.dumps({"prediction_id": "a", "label": label, "timestamp": "2026-11-20T12:00:00Z"})
        for label in ("yes", 1, True)
    ]
    rows = plain_labels(RawChunk(np.arange(3), np.full(3, NOW), [None] * 3, values), 300_000)
    assert rows is not None
    assert (rows.ids, rows.labels) == (["a"] * 3, ["yes", 1.0, True])

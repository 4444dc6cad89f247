from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
import pytest

from app.decoding.chunks import RawChunk
from app.decoding.columns import Kind
from app.decoding.decode import decode_predictions
from app.decoding.runs import Decoded
from app.settings import Settings

NOW = 1_795_176_000_000
GOOD = {
    "prediction_id": "p",
    "model": "credit",
    "version": "3",
    "timestamp": NOW,
    "features": {"income": 41000.0, "age": 31, "region": "north"},
    "prediction": "approve",
}

BATCH = {"prediction_ids": ["a", "b"], "model": "credit", "version": "3", "predictions": ["yes", "no"]}


def chunk(values: Sequence[Any], first: int = 100) -> RawChunk:
    """Records from offset `first` on."""
    encoded = [value if value is None or isinstance(value, bytes) else orjson.dumps(value) for value in values]
    count = len(encoded)
    return RawChunk(np.arange(first, first + count), np.full(count, NOW), [None] * count, encoded)


def decode(*values: Any, **settings: Any) -> Decoded:
    return decode_predictions(chunk(values), Settings(**settings))


def nested(depth: int) -> bytes:
    return b'{"features": ' + b"[" * depth + b"]" * depth + b"}"


DAMAGED = {
    "not_json": [
        orjson.dumps(GOOD).replace(b"approve", b"\xff"),
        orjson.dumps(GOOD)[:40],
        b"",
        b"\xff\xfe\x00",
        b'{"model": "\xff"}',
        b"NaN",
    ],
    "empty": [None],
    "schema": [
        [],
        7,
        {},
        b"{} {}",
        nested(100_000),
        GOOD | {"model": ""},
        GOOD | {"model": 5},
        GOOD | {"model": None},
        GOOD | {"version": 3},
        GOOD | {"timestamp": "yesterday"},
        GOOD | {"timestamp": "2026-11-20T12:00:00"},
        GOOD | {"timestamp": [1]},
        *(BATCH | {"timestamps": [bad, "2026-11-20T12:00:00Z"]} for bad in ("yesterday", "2026-11-20T12:00:00", True)),
        GOOD | {"prediction_id": 7},
        GOOD | {"prediction_id": "x" * 1_000_000},
        GOOD | {"prediction": {"class": "approve"}},
        GOOD | {"features": {"income": {"value": 1}}},
        GOOD | {"features": [1, 2]},
        GOOD | {"probabilities": {"approve": 1.5}},
        GOOD | {"latency_ms": "fast"},
        GOOD | {"latency_ms": [12.4]},
        GOOD | {"probabilities": {"approve": [0.83], "reject": [0.17]}},
        GOOD | {"segments": {"channel": ["web"]}},
        GOOD | {"weight": 0},
        orjson.dumps(GOOD).replace(b"41000.0", b"1e999"),
    ],
    "missing_id": [{key: GOOD[key] for key in GOOD if key != "prediction_id"}],
    "missing_timestamp": [{key: GOOD[key] for key in GOOD if key != "timestamp"}],
    "missing_prediction": [GOOD | {"prediction": None}],
    "timestamp_ahead": [
        GOOD | {"timestamp": NOW + 300_001},
        GOOD | {"timestamp": 1e300},
        GOOD | {"timestamp": "9999-01-01T00:00:00Z"},
    ],
    "timestamp_out_of_range": [GOOD | {"timestamp": -5}, GOOD | {"timestamp": "0001-01-01T00:00:00Z"}],
    "uneven_batch": [
        {"prediction_ids": ["a", "b"], "model": "m", "version": "1", "timestamp": NOW, "predictions": [1]},
        {"prediction_ids": ["a"], "model": "m", "version": "1", "timestamp": NOW},
        {"prediction_ids": ["a"], "model": "m", "version": "1", "predictions": [1]},
        {
            "prediction_ids": ["a"],
            "model": "m",
            "version": "1",
            "timestamp": NOW,
            "predictions": [1],
            "features": {"x": 1},
        },
        {"prediction_ids": ["a"], "model": "m", "version": "1", "timestamp": NOW, "predictions": [None]},
    ],
}


@pytest.mark.parametrize(
    ("reason", "value"), [(reason, value) for reason, values in DAMAGED.items() for value in values]
)
def test_a_damaged_record_costs_only_itself_and_says_why(reason: str, value: Any) -> None:
    decoded = decode(GOOD, value, GOOD | {"prediction_id": "q"})
    assert [(reject.place, reject.reason) for reject in decoded.rejects] == [(1, reason)]
    assert [run.columns.ids for run in decoded.runs] == [["p", "q"]]
    assert decoded.offsets.tolist() == [100, 102]


def test_features_become_columns_with_their_kinds() -> None:
    rows = [{"a": 1.5, "b": "x", "c": True, "d": None}, {"a": None, "b": "y", "c": False, "d": [1.0, 2.0]}]
    columns = decode(*(GOOD | {"features": row} for row in rows)).runs[0].columns.features
    assert list(columns) == ["a", "b", "c", "d"]
    np.testing.assert_array_equal(columns["a"].numbers, [1.5, np.nan])
    np.testing.assert_array_equal(columns["a"].kinds, [Kind.NUMBER, Kind.MISSING])
    assert (columns["b"].kinds, columns["b"].values) == (Kind.TEXT, ["x", "y"])
    assert (columns["c"].kinds, columns["c"].numbers.tolist()) == (Kind.BOOLEAN, [1.0, 0.0])
    np.testing.assert_array_equal(columns["d"].kinds, [Kind.MISSING, Kind.VECTOR])


def test_numbers_only_take_the_short_way_to_the_same_columns() -> None:
    rows = [{"a": float(i), "b": i * 2} for i in range(5)]
    columns = decode(*(GOOD | {"features": row} for row in rows)).runs[0].columns.features
    assert columns["b"].kinds == Kind.NUMBER
    assert columns["b"].numbers.tolist() == [0, 2, 4, 6, 8]
    assert columns["b"].values is None


def test_a_name_that_a_row_lacks_is_missing_there() -> None:
    columns = decode(GOOD | {"features": {"a": 1}}, GOOD | {"features": {"b": 2, "a": 3}}).runs[0].columns.features
    np.testing.assert_array_equal(columns["b"].kinds, [Kind.MISSING, Kind.NUMBER])
    assert columns["a"].numbers.tolist() == [1, 3]


def test_ten_thousand_names_in_one_record_do_not_become_ten_thousand_columns() -> None:
    decoded = decode(
        GOOD, GOOD | {"features": {f"f{i}": i for i in range(10_000)}}, models={"credit": {"max_features": 50}}
    )
    assert len(decoded.runs[0].columns.features) == 50
    assert decoded.runs[0].columns.size == 2


def test_ten_thousand_different_names_keep_the_first() -> None:
    rows = [GOOD | {"features": {"a": 1.0, f"odd{i}": 2.0}} for i in range(3000)]
    columns = decode(*rows).runs[0].columns.features
    assert len(columns) == 1000
    assert columns["a"].numbers.tolist() == [1.0] * 3000


def test_long_text_is_kept_to_its_beginning() -> None:
    columns = decode(GOOD | {"features": {"note": "x" * 1_000_000, "a": 1}}).runs[0].columns.features
    assert columns["note"].values == ["x" * 256]


def test_a_number_alone_is_a_regression_unless_configured_or_with_probabilities() -> None:
    number = GOOD | {"prediction": 1}
    assert decode(number).runs[0].columns.task == "regression"
    assert decode(number | {"probabilities": {"1": 0.7, "0": 0.3}}).runs[0].columns.task == "classification"
    configured = decode(number, models={"credit": {"task": "classification"}}).runs[0].columns
    assert (configured.task, configured.predicted) == ("classification", ["1"])


def test_a_regression_that_is_given_text_says_so() -> None:
    decoded = decode(GOOD, GOOD | {"prediction": 2.5}, models={"credit": {"task": "regression"}})
    assert [reject.reason for reject in decoded.rejects] == ["not_a_number"]
    assert decoded.runs[0].columns.values.tolist() == [2.5]


def test_classes_are_named_alike_whatever_they_are_on_the_wire() -> None:
    configured = {"credit": {"task": "classification"}}
    values = [True, False, 1, 0.5, "yes", -0.0]
    decoded = decode(*(GOOD | {"prediction": value} for value in values), models=configured)
    assert decoded.runs[0].columns.predicted == ["true", "false", "1", "0.5", "yes", "0"]


def test_a_failed_record_needs_no_prediction() -> None:
    columns = decode(GOOD, GOOD | {"prediction": None, "error": "timeout"}).runs[0].columns
    assert columns.failed.tolist() == [False, True]
    assert columns.predicted == ["approve", None]


def test_probabilities_are_a_matrix_over_sorted_classes() -> None:
    rows = [{"b": 0.25, "a": 0.75}, None, {"a": 1.0}]
    probabilities = decode(*(GOOD | {"probabilities": row} for row in rows)).runs[0].columns.probabilities
    assert probabilities is not None
    assert probabilities.classes == ("a", "b")
    np.testing.assert_array_equal(probabilities.matrix, [[0.75, 0.25], [np.nan, np.nan], [1.0, np.nan]])


def test_models_and_versions_are_told_apart_in_offset_order() -> None:
    rows = [
        GOOD | {"model": m, "version": v, "prediction_id": m + v + str(i)} for i in range(3) for m in "ab" for v in "12"
    ]
    decoded = decode(*rows)
    assert {(run.columns.model, run.columns.version): run.columns.ids for run in decoded.runs} == {
        (m, v): [m + v + str(i) for i in range(3)] for m in "ab" for v in "12"
    }
    assert sorted(row for run in decoded.runs for row in run.rows.tolist()) == list(range(12))


BATCH = {
    "prediction_ids": ["a", "b", "c"],
    "model": "credit",
    "version": "3",
    "timestamps": [NOW, NOW + 1, NOW + 2],
    "features": {"income": [1.0, None, 3.0], "region": ["n", "s", "n"]},
    "predictions": ["approve", "reject", "approve"],
    "probabilities": {"approve": [0.9, 0.2, 0.8], "reject": [0.1, 0.8, 0.2]},
    "latency_ms": [1.0, 2.0, 3.0],
    "segments": {"channel": "web"},
}


def test_a_batch_counts_as_its_rows() -> None:
    columns = decode(BATCH).runs[0].columns
    assert (columns.ids, columns.offsets.tolist()) == (["a", "b", "c"], [100, 100, 100])
    np.testing.assert_array_equal(columns.features["income"].numbers, [1.0, np.nan, 3.0])
    assert columns.segments == {"channel": ["web"] * 3}
    assert columns.probabilities is not None
    assert columns.probabilities.matrix.tolist() == [[0.9, 0.1], [0.2, 0.8], [0.8, 0.2]]


def test_rows_of_a_batch_are_the_single_records_that_they_could_have_been() -> None:
    run = decode(BATCH).runs[0]
    again = decode_predictions(chunk(list(run.records())), Settings()).runs[0].columns
    assert again.ids == run.columns.ids
    assert again.predicted == run.columns.predicted
    assert again.timestamps.tolist() == run.columns.timestamps.tolist()
    assert again.features["region"].values == ["n", "s", "n"]
    assert again.segments == run.columns.segments


def test_single_records_and_batches_of_a_version_stay_in_offset_order() -> None:
    decoded = decode(GOOD, BATCH, GOOD | {"prediction_id": "q"})
    assert [run.columns.ids for run in decoded.runs] == [["p"], ["a", "b", "c"], ["q"]]
    assert [run.rows.tolist() for run in decoded.runs] == [[0], [1, 2, 3], [4]]
    assert decoded.offsets.tolist() == [100, 101, 101, 101, 102]


def test_a_block_edge_cuts_a_chunk() -> None:
    raw = RawChunk(np.array([6, 7, 8, 9, 16]), np.zeros(5, np.int64), [None] * 5, [b"a", b"b", b"c", b"d", b"e"])
    assert [part.values for part in raw.blocks(8)] == [[b"a", b"b"], [b"c", b"d"], [b"e"]]

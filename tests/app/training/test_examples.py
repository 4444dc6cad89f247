from typing import Any

import pytest

from app.training.examples import gather


def batch(ids: list[str], times: list[int], labels: list[Any], **more: Any) -> dict[str, Any]:
    return {
        "model": "credit",
        "version": "1",
        "prediction_ids": ids,
        "timestamps": times,
        "label_timestamps": [time + 5 for time in times],
        "predictions": ["yes"] * len(ids),
        "labels": labels,
        "features": {"income": [float(time) for time in times]},
        **more,
    }


T = 1_700_000_000_000


def test_rows_are_in_order_of_time_whatever_the_batches() -> None:
    examples = gather([batch(["c", "a"], [T + 3, T + 1], ["no", "yes"]), batch(["b"], [T + 2], ["no"], version="2")])
    assert examples.ids == ["a", "b", "c"]
    assert examples.labels == ["yes", "no", "no"]
    assert examples.versions == ["1", "2", "1"]
    assert examples.features == {"income": [T + 1, T + 2, T + 3]}


def test_a_prediction_counts_once_with_its_latest_label() -> None:
    first, corrected = batch(["a"], [T], ["no"]), batch(["a"], [T], ["yes"], label_timestamps=[T + 60_000])
    for batches in ([first, corrected], [corrected, first], [first, corrected, first]):
        assert gather(batches).labels == ["yes"]


def test_the_checksum_is_of_the_content_and_not_of_the_batches() -> None:
    whole = gather([batch(["a", "b", "c"], [T, T + 1, T + 2], ["no", "yes", "no"])])
    parts = gather([batch(["c"], [T + 2], ["no"]), batch(["a", "b"], [T, T + 1], ["no", "yes"])])
    other = gather([batch(["a", "b", "c"], [T, T + 1, T + 2], ["no", "yes", "yes"])])
    assert whole.sha256() == parts.sha256() != other.sha256()


def test_a_feature_that_is_always_null_is_as_one_that_is_absent() -> None:
    absent = batch(["a"], [T], ["no"])
    null = batch(["a"], [T], ["no"], features={"income": [float(T)], "age": [None]})
    assert gather([absent]).sha256() == gather([null]).sha256()


def test_batches_may_differ_in_their_columns() -> None:
    one = batch(["a"], [T], ["no"], features={"x": [1.0]}, segments={"channel": "web"})
    two = batch(["b"], [T + 1], ["no"], features={"y": ["z"]}, probabilities={"yes": [0.75]})
    examples = gather([one, two])
    assert examples.features == {"x": [1.0, None], "y": [None, "z"]}
    assert examples.segments == {"channel": ["web", None]}
    assert examples.probabilities == {"yes": [None, 0.75]}


def test_times_are_read_as_everywhere() -> None:
    examples = gather([batch(["a"], [0], ["no"], timestamps=["2026-11-20T12:00:00.5Z"], label_timestamps=[1795176001])])
    assert examples.span() == {"start": "2026-11-20T12:00:00.500Z", "end": "2026-11-20T12:00:00.500Z"}
    assert examples.label_timestamps == [1795176001000]


def test_nothing_gathered_is_no_rows() -> None:
    assert gather([]).size == 0
    assert gather([]).span() == {}


def test_a_batch_of_uneven_columns_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        gather([batch(["a", "b"], [T], ["no"])])

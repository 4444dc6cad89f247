"""Data quality and drift of features, and the rows kept for fitting a baseline."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.decoding.columns import PredictionColumns
from app.decoding.tabulate import feature_columns
from app.drift.baseline import Baseline
from app.drift.fitting import ReferenceData, fit
from app.drift.psi import psi
from app.statistics.features import Features
from app.statistics.prepared import PreparedPredictions
from app.statistics.totals import Totals, merged
from tests.app.statistics import made


def chunk(rows: list[dict[str, Any]], failed: list[bool] | None = None) -> PredictionColumns:
    return replace(
        made.predictions(len(rows)),
        features=feature_columns(rows, 1000),
        failed=np.array(failed or [False] * len(rows)),
    )


def count(
    columns: PredictionColumns, baseline: Baseline | None = None, sample_rows: int = 0, limit: int = 1000
) -> Totals:
    totals = Totals()
    prepared = PreparedPredictions(columns, baseline, sample_rows, limit)
    prepared.update([totals], np.zeros(columns.size, np.int64))
    return totals


def reference(**features: list[Any]) -> Baseline:
    return fit("m", "1", ReferenceData(features), created_at=0, origin="file")


def of_rows(quality: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Without what is known of the values of the whole (`test_contents.py`)."""
    others = {"constant", "distinct", "cardinality", "empty"}
    return {name: {check: own[check] for check in own if check not in others} for name, own in quality.items()}


def test_data_quality_against_a_baseline() -> None:
    baseline = reference(x=[1.0, 2.0, 3.0], city=["a", "b", "a"], flag=[True, False, True], gone=[1.0, 1.0, None])
    rows: list[dict[str, Any]] = [
        {"x": 2.0, "city": "a", "flag": True},
        {"x": 0.5, "city": "zzz", "flag": 1.0},
        {"x": "two", "city": None, "flag": False},
        {"x": 3.5, "city": "b"},
    ]
    assert of_rows(count(chunk(rows), baseline).data_quality(baseline)) == {
        "x": {"missing": 0, "null": 0, "absent": 0, "type_errors": 1, "out_of_range": 0.5},
        "city": {"missing": 0.25, "null": 0.25, "absent": 0, "type_errors": 0, "unseen": 0.25},
        "flag": {"missing": 0.25, "null": 0, "absent": 0.25, "type_errors": 1},
        "gone": {"missing": 1, "null": 0, "absent": 1, "type_errors": 0, "out_of_range": 0},
    }


def test_without_a_baseline_most_values_set_the_kind() -> None:
    rows = [{"x": 1.0}, {"x": "a"}, {"x": "b"}, {}, {"y": True}]
    quality = count(chunk(rows)).data_quality(None)
    assert of_rows(quality) == {
        "x": {"missing": 0.4, "null": 0, "absent": 0.4, "type_errors": 1},
        "y": {"missing": 0.8, "null": 0, "absent": 0.8, "type_errors": 0},
    }


def test_a_failed_row_without_features_counts_in_no_share() -> None:
    rows = [{"x": 1.0}, {}, {"x": 2.0}, {}]
    quality = count(chunk(rows, [False, True, True, False])).data_quality(None)
    assert quality["x"]["missing"] == pytest.approx(1 / 3)


def test_a_baseline_that_came_late_leaves_no_drift() -> None:
    columns = made.numbers(100, ["x"])
    baseline = made.baseline(columns)
    unbinned, binned = count(columns), count(columns, baseline)
    assert binned.drift(baseline)["x"]["psi"] == 0
    both = merged([unbinned, binned])
    assert both.drift(baseline) == {}
    assert of_rows(both.data_quality(baseline))["x"].keys() == {"missing", "null", "absent", "type_errors"}
    assert binned.drift(None) == {}


@pytest.mark.parametrize("order", [[0, 1], [1, 0], [0, 1, 0]])
def test_two_baselines_leave_no_drift(order: list[int]) -> None:
    columns = made.numbers(100, ["x"])
    baselines = [made.baseline(columns), made.baseline(made.numbers(100, ["x"], 1))]
    parts = [count(columns, baselines[place]) for place in order]
    for whole in (merged(parts), Totals.from_state(merged(parts).state())):
        assert [whole.drift(baseline) for baseline in baselines] == [{}, {}]
        assert whole.data_quality(baselines[0])["x"]["missing"] == 0


def test_psi_of_a_window_is_that_of_its_bins() -> None:
    baseline = made.baseline(made.predictions(600, 1))
    columns = made.predictions(500, 2)
    told = count(columns, baseline).drift(baseline)
    own = made.raw_features(columns)
    rows = [i for i in range(500) if not columns.failed[i] or any(own[name][i] is not None for name in own)]
    income = [own["income"][i] for i in rows]
    held = baseline.features["income"]
    cuts = held.cuts  # type: ignore[union-attr]
    counts = np.bincount(
        np.searchsorted(cuts, [v for v in income if v is not None], side="right"), minlength=len(cuts) + 1
    )
    expected = psi(np.append(counts, income.count(None)), np.array([*held.reference(), held.missing]))  # type: ignore[union-attr]
    assert told["income"]["psi"] == pytest.approx(expected, rel=1e-9)
    of_vectors = {"face.norm", "face.distance", "face.cluster"}
    assert told.keys() == {"income", "region", "member", "odd", "rare", *of_vectors}


def test_drift_is_seen_and_no_drift_is_not() -> None:
    columns = made.numbers(5000, ["same", "moved"])
    moved = made.numbers(5000, ["same", "moved"], 1)
    moved.features["moved"].numbers += 0.5
    baseline = made.baseline(columns)
    drift = count(moved, baseline).drift(baseline)
    assert drift["same"]["psi"] < 0.005
    assert drift["moved"]["psi"] == pytest.approx(0.25, abs=0.05)


def test_prediction_drift() -> None:
    for task in ("classification", "regression"):
        columns = made.predictions(2000, 1, task=task)
        baseline = made.baseline(columns)
        moved = replace(columns, predicted=["a" if p else None for p in columns.predicted], values=columns.values + 3)
        assert count(made.predictions(2000, 2, task=task), baseline).prediction_drift(baseline)["psi"] < 0.02
        assert count(moved, baseline).prediction_drift(baseline)["psi"] > 0.5


def test_the_sample_is_the_first_rows() -> None:
    rows: list[dict[str, Any]] = [
        {"a": 1.0},
        {"b": "x"},
        {"a": None, "c": [1.0, 2.0]},
        {"a": 4.0, "d": True},
        {"e": 1.0},
    ]
    columns = replace(chunk(rows), predicted=["p", "q", "r", "s", "t"])
    totals = count(columns, None, 4)
    sample = Totals.from_state(totals.state()).take_sample()
    assert sample is not None
    assert sample.features == {
        "a": [1.0, None, None, 4.0],
        "b": [None, "x", None, None],
        "c": [None, None, [1.0, 2.0], None],
        "c.norm": [None, None, 5**0.5, None],
        "d": [None, None, None, True],
    }
    assert sample.predictions == ["p", "q", "r", "s"]
    assert totals.take_sample() is not None
    assert totals.sample is None
    assert count(columns, reference(a=[1.0]), 4).sample is None


def test_samples_merge_in_order_up_to_the_limit() -> None:
    first, second = count(chunk([{"a": 1.0}, {"a": 2.0}]), None, 3), count(chunk([{"b": "x"}, {"b": "y"}]), None, 3)
    sample = merged([first, second]).take_sample()
    assert sample is not None
    assert sample.features == {"a": [1.0, 2.0, None], "b": [None, None, "x"]}
    assert sample.rows == 3


def test_features_beyond_the_limit_are_counted_as_surplus() -> None:
    rows: list[dict[str, Any]] = [{"z": 1.0}, {"b": 1.0, "a": 1.0}, {"c": 1.0, "b": 1.0}]
    for totals in (count(chunk(rows), limit=2), merged(count(chunk([row]), limit=2) for row in rows)):
        assert totals.features is not None
        assert totals.features.names == ("a", "z")
        assert totals.features.surplus == 3
    assert Features.from_state(totals.features.state()).state() == totals.features.state()  # type: ignore[union-attr]

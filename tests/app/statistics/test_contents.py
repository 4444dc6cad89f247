"""What all the values are like: constant columns, distinct texts, repeated rows, against the raw rows."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.decoding.columns import PredictionColumns
from app.decoding.tabulate import feature_columns
from app.drift.baseline import Baseline
from app.drift.fitting import ReferenceData, fit
from app.quality.settings import QualitySettings
from app.statistics.prepared import PreparedPredictions
from app.statistics.totals import Totals, merged
from tests.app.statistics import made

Row = dict[str, Any]
values = st.one_of(st.none(), st.integers(0, 2).map(float), st.sampled_from(["a", "b"]), st.booleans())
rows_of = st.lists(st.dictionaries(st.sampled_from("xyz"), values), min_size=1, max_size=12)


def chunk(rows: list[Row], predicted: list[str | None] | None = None) -> PredictionColumns:
    columns = made.predictions(len(rows))
    failed = np.array([name is None for name in predicted or ["yes"] * len(rows)])
    features = feature_columns(rows, 1000)
    return replace(columns, features=features, predicted=predicted or ["yes"] * len(rows), failed=failed)


def totals_of(
    rows: list[Row], predicted: list[str | None] | None = None, baseline: Baseline | None = None, limit: int = 1000
) -> Totals:
    totals = Totals()
    prepared = PreparedPredictions(chunk(rows, predicted), baseline, 0, limit)
    prepared.update([totals], np.zeros(len(rows), np.int64))
    return totals


def reference(**features: list[Any]) -> Baseline:
    return fit("m", "1", ReferenceData(features), created_at=0, origin="file")


def given_values(rows: list[Row], name: str) -> list[Any]:
    return [row[name] for row in rows if row.get(name) is not None]


def kind_and_value(value: Any) -> Any:
    """True is 1, as the columns have it, but "1" is not."""
    return value if isinstance(value, str) else float(value)


@settings(max_examples=200, deadline=None)
@given(rows_of, st.lists(st.sampled_from(["yes", "no"]), min_size=12, max_size=12))
def test_what_is_told_is_so_in_the_raw_rows(rows: list[Row], answers: list[str | None]) -> None:
    totals = totals_of(rows, answers[: len(rows)])
    quality = totals.data_quality(None)
    for name in "xyz":
        present = [kind_and_value(value) for value in given_values(rows, name)]
        texts = [value for value in present if isinstance(value, str)]
        told = quality.get(name, {})
        assert told.get("constant") == (float(len(set(present)) == 1) if len(present) > 1 else None)
        assert told.get("distinct", 0) == pytest.approx(len(set(texts)), abs=0.1)
    whole = [
        (
            answer,
            *(row.get(name) and kind_and_value(row[name]) if row.get(name) is not None else None for name in "xyz"),
        )
        for row, answer in zip(rows, answers, strict=False)
        if any(value is not None for value in row.values())
    ]
    repeated = 1 - len(Counter(whole)) / len(whole) if len(whole) > 1 else None
    assert totals.metrics(60).get("duplicate_share") == (None if repeated is None else pytest.approx(repeated))


@settings(max_examples=100, deadline=None)
@given(st.lists(rows_of, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_parts_merged_in_any_order_are_the_whole(parts: list[list[Row]], random: Any) -> None:
    whole = totals_of([row for rows in parts for row in rows])
    totals = [Totals.from_state(json.loads(json.dumps(totals_of(rows).state()))) for rows in parts]
    random.shuffle(totals)
    state = merged(totals).state()
    assert state.get("contents") == whole.state().get("contents")
    assert state.get("checks") == whole.state().get("checks")


@settings(max_examples=50, deadline=None)
@given(rows_of, st.lists(st.integers(-1, 3), min_size=12, max_size=12))
def test_groups_are_told_apart(rows: list[Row], places: list[int]) -> None:
    groups = np.array(places[: len(rows)])
    members = [Totals() for _ in range(4)]
    PreparedPredictions(chunk(rows), None).update(members, groups)
    for place, member in enumerate(members):
        own = [row for row, group in zip(rows, groups, strict=True) if group == place]
        expected = totals_of(own).state() if own else {}
        assert member.state().get("contents") == expected.get("contents")


def test_segments_are_left_out() -> None:
    totals = Totals()
    PreparedPredictions(chunk([{"x": 1.0}, {"x": 1.0}]), None).update([totals], np.zeros(2, np.int64), whole=False)
    assert "constant" not in totals.data_quality(None)["x"]
    assert "duplicate_share" not in totals.metrics(60)


def test_what_the_baseline_has_constant_is_no_news() -> None:
    baseline = reference(x=[1.0, 1.0], y=[1.0, 2.0], city=["a", "a"])
    quality = totals_of([{"x": 5.0, "y": 5.0, "city": "b"}] * 3, None, baseline).data_quality(baseline)
    assert {name: own["constant"] for name, own in quality.items()} == {"x": 0, "y": 1, "city": 0}


def test_texts_without_end_are_seen_against_the_baseline() -> None:
    baseline = reference(city=["a", "b", "c", "d"] * 50)
    usual = totals_of([{"city": "abcd"[place % 4]} for place in range(500)], None, baseline)
    exploded = totals_of([{"city": f"{place}"} for place in range(500)], None, baseline)
    assert usual.data_quality(baseline)["city"]["cardinality"] == pytest.approx(1, abs=0.02)
    assert exploded.data_quality(baseline)["city"]["distinct"] == pytest.approx(500, rel=0.2)
    assert exploded.data_quality(baseline)["city"]["cardinality"] > 100
    known = Baseline.from_record(json.loads(json.dumps(baseline.to_record())))
    assert known == baseline


def test_a_failed_prediction_repeats_nothing() -> None:
    assert totals_of([{"x": 1.0}] * 4, ["yes", None, None, "yes"]).metrics(60)["duplicate_share"] == 0.5


def test_features_beyond_the_limit_stay_unknown() -> None:
    totals = totals_of([{"a": 1.0, "b": 2.0}, {"c": "", "d": 1.0}], None, None, limit=2)
    assert totals.contents is not None
    assert totals.contents.spans.keys() == {"a", "b"}
    assert totals.checks is None or not totals.checks.counts
    totals.merge(totals_of([{"e": 1.0, "f": ""}], None, None, limit=2))
    assert totals.contents.spans.keys() == {"a", "b"}
    assert totals.contents.texts == {}
    assert totals.checks is None or not totals.checks.counts


def test_the_freshness_feature_is_no_feature() -> None:
    columns = replace(chunk([{"x": 1.0, "as_of": 0.0}, {"x": 1.0, "as_of": -4.0}]), timestamps=np.array([1000, 2000]))
    totals = Totals()
    prepared = PreparedPredictions(columns, None, quality=QualitySettings(freshness="as_of"))
    prepared.update([totals], np.zeros(2, np.int64))
    assert totals.data_quality(None).keys() == {"x"}
    metrics = totals.metrics(60)
    assert metrics["data_age_mean_s"] == pytest.approx(3.5)
    assert metrics["data_age_p95_s"] == pytest.approx(5.75, rel=0.02)
    assert metrics["duplicate_share"] == 0.5

"""Ranges, rules, required features and empty texts, against a count over the raw rows."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.decoding.columns import PredictionColumns
from app.decoding.tabulate import feature_columns
from app.quality.settings import QualitySettings
from app.statistics.prepared import PreparedPredictions
from app.statistics.totals import Totals, merged
from tests.app.statistics import made

Row = dict[str, Any]
CONFIGURED = QualitySettings(
    ranges={"x": (0, 1), "y": (None, 1)}, rules=["x >= 0", "x <= y", "z in ['a', 'b']"], required=["x", "z"]
)
values = st.one_of(st.none(), st.integers(-1, 2).map(float), st.sampled_from(["a", "c", ""]), st.booleans())
rows_of = st.lists(st.dictionaries(st.sampled_from("xyz"), values), min_size=1, max_size=12)


def chunk(rows: list[Row], failed: list[bool] | None = None) -> PredictionColumns:
    columns = made.predictions(len(rows))
    bad = np.array(failed or [False] * len(rows))
    return replace(columns, features=feature_columns(rows, 1000), failed=bad)


def totals_of(rows: list[Row], quality: QualitySettings = CONFIGURED, failed: list[bool] | None = None) -> Totals:
    totals = Totals()
    PreparedPredictions(chunk(rows, failed), None, quality=quality).update([totals], np.zeros(len(rows), np.int64))
    return totals


def is_number(value: Any) -> bool:
    return isinstance(value, float)


def either_number(value: Any) -> bool:
    return isinstance(value, float | bool)


def rule_x(row: Row) -> bool | None:
    return row["x"] >= 0 if either_number(row.get("x")) else None


def rule_xy(row: Row) -> bool | None:
    x, y = row.get("x"), row.get("y")
    both = (either_number(x) and either_number(y)) or (isinstance(x, str) and isinstance(y, str))
    return x <= y if both else None  # type: ignore[operator]


def rule_z(row: Row) -> bool | None:
    return row["z"] in ("a", "b") if isinstance(row.get("z"), str) else None


@settings(max_examples=200, deadline=None)
@given(rows_of)
def test_shares_are_those_of_the_raw_rows(rows: list[Row]) -> None:
    totals = totals_of(rows)
    quality, n = totals.data_quality(None), len(rows)
    for name, outside in (("x", lambda v: not 0 <= v <= 1), ("y", lambda v: v > 1)):
        numbers = [row[name] for row in rows if is_number(row.get(name))]
        told = quality.get(name, {}).get("out_of_range")
        assert told == (pytest.approx(sum(map(outside, numbers)) / n) if numbers else None)
    for name in "xyz":
        texts = [row[name] for row in rows if isinstance(row.get(name), str)]
        assert quality.get(name, {}).get("empty") == (pytest.approx(texts.count("") / n) if texts else None)
    rules = {"x >= 0": rule_x, "x <= y": rule_xy, "z in ['a', 'b']": rule_z}
    said = {text: [answer for row in rows if (answer := rule(row)) is not None] for text, rule in rules.items()}
    expected = {text: answers.count(False) / len(answers) for text, answers in said.items() if answers}
    assert totals.consistency() == pytest.approx(expected)
    known = [own for row in rows if any(own := [rule(row) for rule in rules.values()]) or False in own]
    metrics = totals.metrics(60)
    broken = pytest.approx(sum(False in own for own in known) / len(known)) if known else None
    assert metrics.get("rule_violations") == broken
    lacking = sum(any(row.get(name) in (None, "") for name in "xz") for row in rows)
    assert metrics["incomplete_share"] == pytest.approx(lacking / n)


@settings(max_examples=50, deadline=None)
@given(st.lists(rows_of, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_parts_merged_in_any_order_are_the_whole(parts: list[list[Row]], random: Any) -> None:
    whole = totals_of([row for rows in parts for row in rows])
    totals = [Totals.from_state(json.loads(json.dumps(totals_of(rows).state()))) for rows in parts]
    random.shuffle(totals)
    assert merged(totals).state()["checks"] == whole.state()["checks"]


def test_nothing_is_checked_that_nobody_configured() -> None:
    assert "checks" not in totals_of([{"x": 5.0, "z": "text"}], QualitySettings()).state()


def test_a_required_feature_that_never_came_is_told() -> None:
    quality = totals_of([{"x": 1.0}]).data_quality(None)
    assert quality["z"] == {"missing": 1, "null": 0, "absent": 1}


def test_a_range_stands_in_place_of_the_baselines() -> None:
    baseline = made.baseline(made.numbers(100, ["x"]))
    columns = made.numbers(100, ["x"], 1)
    totals = Totals()
    quality = QualitySettings(ranges={"x": (-99, 99)})
    PreparedPredictions(columns, baseline, quality=quality).update([totals], np.zeros(100, np.int64))
    assert totals.data_quality(baseline)["x"]["out_of_range"] == 0
    plain = Totals()
    PreparedPredictions(columns, baseline).update([plain], np.zeros(100, np.int64))
    assert plain.data_quality(baseline)["x"]["out_of_range"] > 0


def test_a_range_that_changed_within_a_window_says_nothing() -> None:
    parts = [totals_of([{"x": 5.0}], QualitySettings(ranges={"x": limits})) for limits in ((0, 1), (0, 9))]
    assert "out_of_range" not in merged(parts).data_quality(None)["x"]
    assert parts[0].data_quality(None)["x"]["out_of_range"] == 1


def test_a_failed_row_without_features_breaks_nothing() -> None:
    quality = QualitySettings(rules=["x != null"], required=["x"])
    totals = totals_of([{"x": 1.0}, {}], quality, [False, True])
    assert totals.consistency() == {"x != null": 0}
    assert totals.metrics(60)["incomplete_share"] == 0

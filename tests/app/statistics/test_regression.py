"""Metrics of a regression against scikit-learn on the raw rows."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as oracle

from app.decoding.columns import Floats, PairColumns
from app.statistics.prepared import PreparedPairs
from app.statistics.totals import Totals, merged
from tests.app.statistics import made


def totals(columns: PairColumns) -> Totals:
    found = Totals()
    PreparedPairs(columns, None).update([found], np.zeros(columns.size, np.int64))
    return found


def pairs(truth: Floats, values: Floats, weights: Floats | None = None) -> PairColumns:
    columns = made.pairs(len(truth), task="regression")
    return replace(columns, label_values=truth, values=values, weights=weights)


@pytest.mark.parametrize("mean", [0.0, 5.0, 1e6, -1e6])
@pytest.mark.parametrize("weighted", [False, True])
def test_against_the_raw_rows(mean: float, weighted: bool) -> None:
    rng = np.random.default_rng(7)
    truth = rng.normal(mean, 1, 2000)
    values = truth + rng.normal(0.1, 0.5, 2000)
    weights = rng.uniform(1, 5, 2000) if weighted else None
    parts = [slice(0, 1), slice(1, 700), slice(700, 2000)]
    for found in (
        totals(pairs(truth, values, weights)),
        merged(totals(pairs(truth[p], values[p], weights[p] if weights is not None else None)) for p in parts),
    ):
        told = found.metrics(60)
        for name, score in (
            ("mae", oracle.mean_absolute_error),
            ("rmse", oracle.root_mean_squared_error),
            ("r2", oracle.r2_score),
            ("mape", oracle.mean_absolute_percentage_error),
        ):
            assert told[name] == pytest.approx(score(truth, values, sample_weight=weights), rel=1e-9), name
        assert told["bias"] == pytest.approx(np.average(values - truth, weights=weights), rel=1e-9)


def test_r2_survives_a_mean_far_from_the_spread() -> None:
    rng = np.random.default_rng(8)
    truth = 1e6 + rng.choice([-1.0, 1.0], 5000)
    values = truth + rng.normal(0, 0.1, 5000)
    told = merged(totals(pairs(t, v)) for t, v in zip(np.split(truth, 10), np.split(values, 10), strict=True))
    assert told.metrics(60)["r2"] == pytest.approx(oracle.r2_score(truth, values), rel=1e-9)


def test_r2_survives_a_first_value_far_from_the_others() -> None:
    rng = np.random.default_rng(9)
    truth = np.concatenate([[0.0], 1e6 + rng.normal(0, 1, 5000)])
    values = truth + rng.normal(0, 100, 5001)
    assert totals(pairs(truth, values)).metrics(60)["r2"] == pytest.approx(oracle.r2_score(truth, values), rel=1e-9)


def test_a_constant_truth_has_no_r2() -> None:
    found = totals(pairs(np.full(3, 0.1), np.array([0.1, 0.2, 0.3]))).metrics(60)
    assert "r2" not in found
    assert found["mae"] == pytest.approx(0.1)


def test_a_truth_of_zero_is_left_out_of_mape_alone() -> None:
    found = totals(pairs(np.array([0.0, 2.0]), np.array([1.0, 1.0]))).metrics(60)
    assert found["mape"] == 0.5
    assert found["mae"] == 1
    assert "mape" not in totals(pairs(np.array([0.0]), np.array([1.0]))).metrics(60)


def test_numbers_that_no_sum_can_hold_count_in_no_figure() -> None:
    truth = np.array([1.0, 1e300, np.inf, 2.0, np.nan, 1e-320])
    found = totals(pairs(truth, np.array([1.5, 1.0, 1.0, -1e308, 1.0, 1e99])))
    assert json.dumps(found.state(), allow_nan=False)
    assert found.label_count == 6
    assert found.metrics(60)["mape"] == 0.5

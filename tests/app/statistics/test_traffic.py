"""Rates, latency, label lag and confidence against numpy on the raw rows."""

from dataclasses import replace

import numpy as np
import pytest

from app.statistics.prepared import PreparedPairs, PreparedPredictions
from app.statistics.totals import Totals
from tests.app.statistics import made


@pytest.mark.parametrize("weighted", [False, True])
def test_predictions(weighted: bool) -> None:
    columns = made.predictions(500, 3, weighted=weighted)
    totals = Totals()
    PreparedPredictions(columns, None).update([totals], np.zeros(500, np.int64))
    weights = columns.weights if columns.weights is not None else np.ones(500)
    told = totals.metrics(20)
    assert (totals.predictions, totals.errors, totals.label_count) == (500, columns.failed.sum(), 0)
    assert told["throughput_per_s"] == pytest.approx(weights.sum() / 20, rel=1e-9)
    assert told["error_rate"] == pytest.approx(weights[columns.failed].sum() / weights.sum(), rel=1e-9)
    present = columns.latency_ms[~np.isnan(columns.latency_ms)]
    assert told["latency_mean_ms"] == pytest.approx(present.mean(), rel=1e-9)
    for percent in (50, 95, 99):
        assert told[f"latency_p{percent}_ms"] == pytest.approx(np.percentile(present, percent), rel=0.01)
    assert columns.probabilities is not None
    sure = np.array(
        [
            columns.probabilities.matrix[row, made.CLASSES.index(name)] if name else np.nan
            for row, name in enumerate(columns.predicted)
        ]
    )
    kept = ~np.isnan(sure)
    assert told["estimated_accuracy"] == pytest.approx(np.average(sure[kept], weights=weights[kept]), rel=1e-9)
    assert told["label_coverage"] == 0
    assert totals.outputs is not None
    assert totals.outputs.classes == {name: columns.predicted.count(name) for name in made.CLASSES}
    assert totals.outputs.scores.tolist() == np.histogram(sure[kept], 20, (0, 1))[0].tolist()


def test_labels() -> None:
    columns, totals = made.pairs(400, 4), Totals()
    PreparedPairs(columns, None).update([totals], np.zeros(400, np.int64))
    PreparedPredictions(made.predictions(500), None).update([totals], np.zeros(500, np.int64))
    told, lags = totals.metrics(60), columns.lag_ms / 1000
    assert told["label_coverage"] == 400 / 500
    assert told["label_lag_mean_s"] == pytest.approx(lags.mean(), rel=1e-9)
    assert told["label_lag_p50_s"] == pytest.approx(np.percentile(lags, 50), rel=0.01)
    assert told["label_lag_p95_s"] == pytest.approx(np.percentile(lags, 95), rel=0.01)


def test_nothing_told_nothing_measured() -> None:
    columns = made.predictions(3, task="regression")
    columns = replace(columns, latency_ms=np.full(3, np.nan), failed=np.zeros(3, np.bool_))
    totals = Totals()
    PreparedPredictions(columns, None).update([totals], np.zeros(3, np.int64))
    assert totals.metrics(0) == {"error_rate": 0, "label_coverage": 0, "duplicate_share": 0}
    assert "latency" not in totals.state()


def test_rows_go_to_their_groups_alone() -> None:
    columns, groups = made.predictions(100, 8), np.random.default_rng(1).integers(-1, 4, 100)
    members = [Totals() for _ in range(5)]
    PreparedPredictions(columns, None).update(members, groups)
    assert [member.predictions for member in members] == [(groups == g).sum() for g in range(5)]
    assert members[4].state() == {}
    for g in range(4):
        alone, chosen = Totals(), np.where(groups == g, 0, -1)
        PreparedPredictions(columns, None).update([alone], chosen)
        assert alone.state() == members[g].state()

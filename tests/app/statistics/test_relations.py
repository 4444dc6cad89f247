"""Reconstruction errors and sketches: sums that are those of the raw rows, in any cut and order."""

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from app.decoding.columns import FeatureColumn, Floats, Kind, PredictionColumns
from app.drift.baseline import Baseline
from app.drift.fitting import ReferenceData, fit
from app.statistics.prepared import PreparedPredictions
from app.statistics.relations import Relations
from app.statistics.totals import Totals, merged
from tests.app.statistics import made

ROWS = 120
quick = settings(max_examples=25, deadline=None)


def columns_of(features: dict[str, Any], start: int = 0) -> PredictionColumns:
    size = len(next(iter(features.values())))
    columns = {
        name: FeatureColumn(Kind.NUMBER, np.asarray(values, np.float64), None) for name, values in features.items()
    }
    plain = replace(made.numbers(size, ["x"], 1), features=columns)
    return replace(plain, offsets=np.arange(start, start + size), timestamps=np.arange(start, start + size))


def related(rows: int, seed: int, correlation: float, features: int = 4) -> dict[str, Floats]:
    """Standard normal features, of which the first two are correlated."""
    rng = np.random.default_rng(seed)
    found = {f"x{place}": rng.normal(size=rows) for place in range(features)}
    found["x1"] = correlation * found["x0"] + np.sqrt(1 - correlation**2) * found["x1"]
    return found


def fitted(features: dict[str, Floats], **more: Any) -> Baseline:
    data = ReferenceData({name: values.tolist() for name, values in features.items()})
    return fit("m", "1", data, created_at=0, origin="file", **more)


def counted(columns: PredictionColumns, baseline: Baseline, groups: Any = None, members: int = 1) -> list[Totals]:
    totals = [Totals() for _ in range(members)]
    codes = np.zeros(columns.size, np.int64) if groups is None else groups
    PreparedPredictions(columns, baseline).update(totals, codes)
    return totals


def of(totals: Totals) -> Relations:
    assert totals.relations is not None
    return totals.relations


def test_the_mean_error_is_that_of_the_rows() -> None:
    baseline, later = fitted(related(1000, 1, 0.9)), related(700, 2, 0.5)
    assert baseline.relations is not None
    errors = baseline.relations.components.errors(np.array([later[name] for name in baseline.relations.names]))
    own = counted(columns_of(later), baseline)[0]
    assert of(own).mean_error() == pytest.approx(errors.mean(), abs=1e-5)
    assert of(own).error_deviation() == pytest.approx(errors.std(), abs=1e-3)
    figures = own.multivariate(baseline)
    assert figures["reconstruction_error"] == pytest.approx(errors.mean(), abs=1e-5)
    assert figures["error_deviation"] == pytest.approx(errors.std(), abs=1e-3)
    assert figures["reference_error"] == baseline.relations.error_mean
    counts = np.bincount(baseline.relations.error_bins(errors), minlength=baseline.relations.error_width)
    assert of(own).binned.counts.tolist() == counts.tolist()


@quick
@given(st.integers(0, 20), st.lists(st.integers(0, ROWS), max_size=5), st.randoms())
def test_cuts_and_orders_say_the_same_bits(seed: int, inner: list[int], random: Any) -> None:
    baseline = made.baseline(made.predictions(300, seed + 100))
    assert baseline.relations is not None
    columns = made.predictions(ROWS, seed)
    groups = np.random.default_rng(seed).integers(-1, 3, ROWS)
    whole = counted(columns, baseline, groups, 3)
    edges = [0, *sorted(inner), ROWS]
    running = [Totals() for _ in range(3)]
    parts = []
    for start, stop in pairwise(edges):
        chunk = made.cut(columns, start, stop)
        PreparedPredictions(chunk, baseline).update(running, groups[start:stop])
        parts.append(counted(chunk, baseline, groups[start:stop], 3))
    random.shuffle(parts)
    for place, one in enumerate(whole):
        expected = json.dumps(of(one).state())
        assert json.dumps(of(running[place]).state()) == expected
        rest = merged(Totals.from_state(json.loads(json.dumps(part[place].state()))) for part in parts)
        assert json.dumps(of(rest).state()) == expected


def test_the_sketch_is_of_the_rows() -> None:
    baseline, later = fitted(related(1000, 1, 0.9)), related(5000, 2, 0.9)
    assert baseline.relations is not None
    sketch = of(counted(columns_of(later), baseline)[0]).sketch
    matrix = np.array([later[name] for name in baseline.relations.names])
    everything = baseline.cells.bins(matrix)
    assert len(sketch.rows) == 500
    assert {row.tobytes() for row in sketch.rows} <= {row.tobytes() for row in everything}
    for place in range(4):
        assert (
            ks_2samp(baseline.cells.scores(sketch.rows)[:, place], baseline.cells.scores(everything)[:, place]).pvalue
            > 0.001
        )


def test_a_changed_relation_is_found_where_features_alone_are_silent() -> None:
    baseline = fitted(related(2000, 3, 0.0))
    same, changed = (counted(columns_of(related(3000, 4, rho)), baseline)[0] for rho in (0.0, 0.7))
    for totals in (same, changed):
        assert all(figures["psi"] < 0.02 for figures in totals.drift(baseline).values())
    assert changed.multivariate(baseline)["classifier_auc"] > 0.6
    assert changed.multivariate(baseline)["classifier_p_value"] < 1e-4
    assert same.multivariate(baseline)["classifier_p_value"] > 0.05


def test_a_relation_that_breaks_raises_the_reconstruction_error() -> None:
    baseline = fitted(related(2000, 5, 0.95, 2))
    broken = counted(columns_of(related(2000, 6, 0.0, 2)), baseline)[0]
    assert all(figures["psi"] < 0.02 for figures in broken.drift(baseline).values())
    figures = broken.multivariate(baseline)
    assert figures["reconstruction_error"] > 3 * figures["reference_error"]
    assert figures["psi"] > 1


def test_segments_have_errors_and_no_sketch() -> None:
    baseline = fitted(related(500, 1, 0.5))
    totals = Totals()
    PreparedPredictions(columns_of(related(300, 2, 0.5)), baseline).update([totals], np.zeros(300, np.int64), False)
    assert of(totals).rows == 300
    assert "sketch" not in of(totals).state()
    assert "classifier_auc" not in totals.multivariate(baseline)


def test_nothing_without_rows_or_relations() -> None:
    baseline = fitted(related(500, 1, 0.5))
    assert Totals().multivariate(baseline) == {}
    failed = replace(made.predictions(5, 1), failed=np.ones(5, np.bool_), features={})
    totals = counted(failed, baseline)[0]
    assert totals.multivariate(baseline) == {}
    assert "relations" not in totals.state()
    alone = fitted({"x0": related(500, 1, 0.5)["x0"]})
    assert alone.relations is None
    totals = counted(columns_of(related(300, 2, 0.5)), alone)[0]
    assert (totals.relations, totals.multivariate(alone)) == (None, {})


def test_score_counts_are_there_for_each_window_of_all_of_the_traffic() -> None:
    """Detectors need the same columns in each window: one that is too small counts nothing."""
    baseline = fitted(related(500, 1, 0.5))
    for rows in (300, 40):
        found = counted(columns_of(related(rows, 2, 0.5)), baseline)[0].score_counts(baseline)
        assert found is not None
        assert (found[0].sum(), found[1].tolist()) == (rows if rows >= 100 else 0, [50] * 10)
    segment = Totals()
    PreparedPredictions(columns_of(related(300, 2, 0.5)), baseline).update([segment], np.zeros(300, np.int64), False)
    assert segment.score_counts(baseline) is None
    assert counted(columns_of(related(300, 2, 0.5)), baseline)[0].score_counts(None) is None


def test_two_baselines_in_one_window_say_nothing() -> None:
    first, second = fitted(related(500, 1, 0.5)), fitted(related(500, 2, 0.5))
    columns = columns_of(related(300, 3, 0.5))
    one, other = counted(columns, first)[0], counted(columns, second)[0]
    one.merge(other)
    one.merge(counted(columns, first)[0])
    assert one.multivariate(first) == one.multivariate(second) == {}
    assert len(of(one).sketch.keys) == 0


def test_a_baseline_without_a_sample_has_no_classifier() -> None:
    baseline = fitted(related(500, 1, 0.5), sample_rows=0)
    again = Baseline.from_record(json.loads(json.dumps(baseline.to_record())))
    assert again == baseline
    assert baseline.relations is not None
    assert baseline.relations.sample == b""
    assert "classifier_auc" not in counted(columns_of(related(300, 2, 0.5)), baseline)[0].multivariate(baseline)


def test_features_that_are_missing_or_new_do_no_harm() -> None:
    baseline = fitted(related(500, 1, 0.5))
    later = related(300, 2, 0.5)
    del later["x2"]
    later["new"] = later["x0"]
    totals = counted(columns_of(later), baseline)[0]
    assert totals.multivariate(baseline)["reconstruction_error"] > 0
    assert set(of(totals).sketch.rows[:, 2].tolist()) == {255}

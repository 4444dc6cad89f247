import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from app.drift.baseline import Baseline
from app.drift.comparison import Comparison, Drift, Scale
from app.drift.fitting import ReferenceData, fit
from app.drift.references import NumberReference, fit_reference
from app.statistics.prepared import PreparedPredictions
from app.statistics.totals import Totals, merged
from tests.app.statistics import made

TESTS = {"psi", "js", "hellinger", "total_variation", "chi_square", "p_value", "tolerance_p_value", "drifted"}
OF_NUMBERS = {"ks", "wasserstein", "wasserstein_normalised"}
values = st.lists(st.floats(-1e3, 1e3, width=32), min_size=2, max_size=80)


def baseline(**features: list[float | None]) -> Baseline:
    return fit("m", "1", ReferenceData(features), created_at=0, origin="file")


def drift(own: Baseline, **features: list[float | None]) -> dict[str, Drift]:
    columns = made.numbers(len(next(iter(features.values()))), [])
    columns.features = made.features(features)
    totals = Totals()
    PreparedPredictions(columns, own).update([totals], np.zeros(columns.size, np.int64))
    return totals.drift(own)


@given(values, values)
@settings(deadline=None)
def test_bins_are_off_by_no_more_than_they_are_wide(before: list[float], after: list[float]) -> None:
    own = baseline(x=before)  # type: ignore[arg-type]
    reference = own.features["x"]
    assert isinstance(reference, NumberReference)
    told = drift(own, x=np.clip(after, min(before), max(before)).tolist())["x"]
    clipped = np.clip(after, min(before), max(before))
    cuts = reference.cuts
    places = [np.searchsorted(cuts, raw, side="right") for raw in (before, clipped)]
    shares = [np.bincount(own, minlength=len(cuts) + 1) / len(own) for own in places]
    largest = max(float(one.max()) for one in shares)
    ks = stats.ks_2samp(before, clipped, method="asymp").statistic
    assert told["ks"] - 1e-9 <= ks <= told["ks"] + largest + 1e-9
    widths = np.diff([reference.minimum, *reference.edges, reference.maximum])
    bound = sum(float((one[1:-1] * widths).sum()) for one in shares)
    assert abs(stats.wasserstein_distance(before, clipped) - told["wasserstein"]) <= bound + 1e-6


def test_what_is_told_of_numbers_and_of_others() -> None:
    own = fit(
        "m",
        "1",
        ReferenceData({"x": [float(i) for i in range(100)], "city": ["a", "b"] * 50, "flag": [True, False] * 50}),
        created_at=0,
        origin="file",
    )
    columns = made.numbers(50, [])
    columns.features = made.features({"x": [float(i) for i in range(50)], "city": ["a"] * 50, "flag": [True] * 50})
    totals = Totals()
    PreparedPredictions(columns, own).update([totals], np.zeros(50, np.int64))
    told = totals.drift(own)
    assert told["x"].keys() == TESTS | OF_NUMBERS
    assert told["city"].keys() == told["flag"].keys() == TESTS
    assert told["city"]["total_variation"] == 0.5
    assert told["city"]["drifted"] is True
    assert all(math.isfinite(value) for one in told.values() for value in one.values())


def test_a_shift_is_told_in_the_features_unit() -> None:
    rng = np.random.default_rng(1)
    before = rng.uniform(0, 100, 5000)
    told = drift(baseline(x=before.tolist()), x=(rng.uniform(10, 90, 5000)).tolist())["x"]
    assert told["wasserstein"] == pytest.approx(5.0, abs=0.5)
    assert told["wasserstein_normalised"] == pytest.approx(5.0 / before.std(), rel=0.1)


def test_missing_values_are_drift_but_have_no_place_among_numbers() -> None:
    told = drift(baseline(x=[1.0, 2.0, 3.0, 4.0] * 50), x=[1.0, 2.0, 3.0, 4.0, None, None, None, None] * 20)["x"]
    assert told["total_variation"] == 0.5
    assert told["ks"] == 0
    assert told["wasserstein"] == 0
    nothing = drift(baseline(x=[1.0, 2.0, None]), x=[None, None], y=[1.0, 1.0])["x"]
    assert nothing.keys() == TESTS


def test_an_empty_window_gives_nothing() -> None:
    assert Totals().drift(baseline(x=[1.0, 2.0])) == {}
    comparison = Comparison({"x": [1, 2], "y": [0, 0]}, {"x": Scale([0.0, 1.0], None)})
    assert comparison.drift(np.array([0, 0, 3, 4])) == {}
    assert comparison.drift(np.array([1, 2, 0, 0])).keys() == {"x"}
    assert Comparison({}, {}).drift(np.zeros(0, np.int64)) == {}


def test_the_more_features_the_more_evidence_each_needs() -> None:
    counts, others = np.array([20, 60, 70]), np.array([50, 50, 50])
    alone = Comparison({"x": [500, 500, 500]}, {}).drift(counts)["x"]
    many = Comparison({f"x{i}": [500, 500, 500] for i in range(200)}, {}).drift(
        np.concatenate([counts, *[others] * 199])
    )
    assert alone["tolerance_p_value"] == many["x0"]["tolerance_p_value"]
    assert (alone["drifted"], many["x0"]["drifted"]) == (True, False)


@given(st.integers(0, 100), st.permutations(range(5)))
@settings(deadline=None, max_examples=20)
def test_parts_in_any_order_say_what_the_whole_says(seed: int, order: list[int]) -> None:
    own = made.baseline(made.predictions(300, 1))
    columns = made.predictions(200, seed)
    parts = []
    for start in range(0, 200, 40):
        part = Totals()
        PreparedPredictions(made.cut(columns, start, start + 40), own).update([part], np.zeros(40, np.int64))
        parts.append(part)
    whole = Totals()
    PreparedPredictions(columns, own).update([whole], np.zeros(200, np.int64))
    mixed = merged([Totals.from_state(parts[place].state()) for place in order])
    assert mixed.drift(own) == whole.drift(own)
    assert mixed.prediction_drift(own) == whole.prediction_drift(own)
    assert mixed.score_drift(own) == whole.score_drift(own)


def test_summary_of_a_number() -> None:
    raw = np.random.default_rng(3).lognormal(0, 1, 2000)
    reference = fit_reference(raw.tolist())
    assert isinstance(reference, NumberReference)
    assert reference.summary is not None
    assert reference.summary.deviation == pytest.approx(raw.std(), rel=1e-5)
    assert reference.summary.quantiles[3] == pytest.approx(np.median(raw), rel=1e-2)
    bounds = np.array([reference.minimum, *reference.edges, reference.maximum])
    index = np.clip(np.searchsorted(bounds, raw, side="right") - 1, 0, len(bounds) - 2)
    means = [raw[index == place].mean() for place in range(len(bounds) - 1)]
    assert reference.locations()[1:-1] == pytest.approx(means, abs=float(np.diff(bounds).max()) / 1000)

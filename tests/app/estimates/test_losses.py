"""Direct loss estimation: trees that know where a regression errs, and their sums."""

import json

import numpy as np
import pytest

from app.decoding.columns import FeatureColumn, Floats, Kind
from app.decoding.tabulate import feature_column
from app.estimates.boosting import fit_trees
from app.estimates.loss_truth import LossTruth
from app.estimates.losses import ExpectedLosses, PreparedLosses
from app.estimates.trees import LossTrees
from app.statistics.binned import MIXED
from app.statistics.groups import Groups

Columns = dict[str, FeatureColumn]


def noisy(rows: int, seed: int, *, low: float = 0.0, region: str | None = None) -> tuple[Columns, Floats, Floats]:
    """Features, predictions and truths of which the noise grows with `age`, and is threefold in the south."""
    rng = np.random.default_rng(seed)
    age = rng.uniform(low, 10, rows)
    regions = [region or str(name) for name in rng.choice(["north", "south", "east"], rows)]
    values = rng.normal(50, 10, rows)
    deviation = (0.5 + age) * np.where(np.array(regions) == "south", 3, 1)
    features = {"age": FeatureColumn(Kind.NUMBER, age, None), "region": feature_column(regions)}
    return features, values, values + rng.normal(0, deviation)


@pytest.fixture(scope="module")
def trees() -> LossTrees:
    features, values, truth = noisy(20_000, 1)
    errors = np.abs(values - truth)
    return fit_trees(features, values, np.array([errors, errors**2]))


def sums(trees: LossTrees, features: Columns, values: Floats, truth: Floats | None = None) -> ExpectedLosses:
    losses = ExpectedLosses()
    prepared = PreparedLosses(trees, "b", features, values, np.ones(len(values)), truth)
    ExpectedLosses.update([losses], Groups(np.zeros(len(values), np.int64), 1), prepared)
    return losses


@pytest.mark.parametrize(("low", "region"), [(0.0, None), (7.0, None), (0.0, "south"), (6.0, "north")])
def test_the_error_is_expected_where_inputs_move_to_more_or_less_noise(
    trees: LossTrees, low: float, region: str | None
) -> None:
    features, values, truth = noisy(20_000, 2, low=low, region=region)
    found = sums(trees, features, values).metrics()
    errors = np.abs(values - truth)
    assert found["estimated_mae"] == pytest.approx(errors.mean(), rel=0.06)
    assert found["estimated_rmse"] == pytest.approx(np.sqrt((errors**2).mean()), rel=0.08)


def test_sums_are_those_of_the_rows(trees: LossTrees) -> None:
    features, values, truth = noisy(500, 3)
    absolute, squared = trees.expect(features, values)
    own = sums(trees, features, values, truth).sums
    errors = values - truth
    told = [500, absolute.sum(), squared.sum(), (absolute**2).sum(), 500, np.abs(errors).sum(), (errors**2).sum()]
    assert own.tolist() == pytest.approx(told)


def test_the_interval_holds_what_turns_out_as_often_as_it_says(trees: LossTrees) -> None:
    """Of 300 windows of 200 rows; the trees' own doubt is not in it, and is small beside that of so few rows."""
    inside = 0
    for seed in range(300):
        features, values, truth = noisy(200, 100 + seed)
        found = sums(trees, features, values).metrics()
        inside += found["estimated_mae_low"] <= np.abs(values - truth).mean() <= found["estimated_mae_high"]
    assert inside / 300 == pytest.approx(0.95, abs=0.04)


def test_what_is_missing_or_unknown_has_an_expectation_too(trees: LossTrees) -> None:
    gone = {"region": feature_column(["west", None, "south"]), "age": feature_column([None, 3.0, None])}
    assert np.isfinite(trees.expect(gone, np.array([1.0, np.nan, 1e300]))).all()
    assert np.isfinite(trees.expect({}, np.zeros(2))).all()


def test_rows_without_a_prediction_add_nothing(trees: LossTrees) -> None:
    features, values, _ = noisy(10, 3)
    assert sums(trees, features, np.full(10, np.nan)).metrics() == {}
    assert ExpectedLosses().metrics() == {}
    assert sums(trees, features, np.where(np.arange(10) < 4, np.nan, values)).sums[0] == 6


def test_record_and_state_round_trip(trees: LossTrees) -> None:
    again = LossTrees.from_record(json.loads(json.dumps(trees.record())))
    features, values, _ = noisy(100, 5)
    assert (again.expect(features, values) == trees.expect(features, values)).all()
    own = sums(again, features, values)
    assert ExpectedLosses.from_state(json.loads(json.dumps(own.state()))).state() == own.state()
    with pytest.raises(ValueError, match="each leaf"):
        LossTrees.from_record({"base": [0.0], "codes": {}, "trees": [{"levels": [["a", 1.0]], "values": [[0.0]]}]})


def test_sums_of_two_baselines_are_dropped(trees: LossTrees) -> None:
    features, values, _ = noisy(10, 3)
    one, other = sums(trees, features, values), sums(trees, features, values)
    one.merge(other)
    assert one.metrics() == pytest.approx(other.metrics() | one.metrics())
    assert one.sums[0] == 20
    other.baseline_id = "c"
    one.merge(other)
    assert (one.baseline_id, one.metrics()) == (MIXED, {})


def test_real_errors_correct_the_expected_ones(trees: LossTrees) -> None:
    truth = LossTruth()
    truth.begin("b")
    features, values, real = noisy(600, 7)
    truth.learn(sums(trees, features, values, real))
    assert truth.trusted
    assert truth.factor == pytest.approx(1, abs=0.1)
    twice = values + 2 * (real - values)
    truth.learn(sums(trees, features, values, twice))
    assert not truth.trusted
    assert truth.factor == pytest.approx(2, abs=0.2)
    truth = LossTruth(json.loads(json.dumps(truth.state())))
    truth.learn(sums(trees, features, values, twice))
    assert truth.trusted
    assert truth.error == pytest.approx(0, abs=0.01)

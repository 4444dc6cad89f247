import numpy as np
import pytest

from app.simulation.world import Applications, applications, era
from app.training import tabular
from app.training.tabular import TabularModel

BOOM, CRISIS = era(0), era(1)


def accuracy(model: TabularModel, happened: Applications) -> float:
    said = model.predict(happened.features, len(happened.outcomes)).predictions
    return float(np.mean([a == b for a, b in zip(said, happened.outcomes, strict=True)]))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_change_of_era_harms_a_model_and_a_new_one_mends_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    past, now = applications(rng, BOOM, 4000), applications(rng, CRISIS, 2500)
    old = tabular.fit("classification", past.features, past.outcomes)
    new = tabular.fit("classification", now.features, now.outcomes)
    assert accuracy(old, applications(rng, BOOM, 4000)) > 0.91
    assert 0.68 < accuracy(old, applications(rng, CRISIS, 4000)) < 0.79
    assert accuracy(new, applications(rng, CRISIS, 4000)) > 0.90


def test_who_applies_changes_too() -> None:
    rng = np.random.default_rng(3)
    before, after = applications(rng, BOOM, 4000), applications(rng, CRISIS, 4000)
    medians = [np.nanmedian(np.array(a.features["income"], float)) for a in (before, after)]
    assert medians[1] / medians[0] == pytest.approx(0.78, abs=0.03)
    mobile = [a.segments["channel"].count("mobile") / 4000 for a in (before, after)]
    assert mobile == pytest.approx([0.30, 0.55], abs=0.03)


def test_the_same_seed_is_the_same_world() -> None:
    assert applications(np.random.default_rng(4), BOOM, 50) == applications(np.random.default_rng(4), BOOM, 50)


def test_eras_take_turns() -> None:
    assert [era(number).name for number in range(4)] == ["boom", "crisis", "boom", "crisis"]

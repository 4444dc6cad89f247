"""Estimates against a computation row by row, and their intervals against what turns out."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score, roc_auc_score

from app.decoding.columns import Floats, Ints
from app.estimates.calibration import Calibration
from app.estimates.cells import UNKNOWN_KINDS, ScoreCells
from app.estimates.expected import as_they_came, expected
from app.estimates.layout import BINARY_STEPS, coarse_bins, layout_of
from app.estimates.outcomes import Outcomes
from tests.app.estimates import made

BINARY = layout_of(("0", "1"))


def by_rows(q: Floats, scores: Floats, predicted: Ints, weights: Floats) -> dict[str, float]:
    """Expected figures from each row's own calibrated probability; pairs of rows for the area."""
    hits, false = (weights * q * predicted).sum(), (weights * (1 - q) * predicted).sum()
    missed = (weights * q * (1 - predicted)).sum()
    ones, zeros = weights * q, weights * (1 - q)
    order = (scores[:, None] > scores[None, :]) + 0.5 * (scores[:, None] == scores[None, :])
    return {
        "accuracy": float((weights * np.where(predicted == 1, q, 1 - q)).sum() / weights.sum()),
        "precision": float(hits / (hits + false)),
        "recall": float(hits / (hits + missed)),
        "f1": float(2 * hits / (2 * hits + false + missed)),
        "roc_auc": float(ones @ order @ zeros / (ones.sum() * zeros.sum())),
    }


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_estimates_are_those_of_the_rows_within_the_width_of_a_bin(weighted: bool, seed: int) -> None:
    """A bin is 1/8 of the log-odds wide, so no probability is off by more than 1/64 from its middle."""
    p, predicted, _ = made.binary(800, seed)
    weights = np.random.default_rng(seed).uniform(1, 4, 800) if weighted else None
    (cells,) = made.cells(p, predicted, weights=weights)
    found = expected(cells, as_they_came(BINARY), None)
    told = by_rows(p, p, predicted, np.ones(800) if weights is None else weights)
    for name, value in told.items():
        assert found[name].value == pytest.approx(value, abs=1 / 64)
    # Where rows have the probability of their bin's middle there is no bound to need.
    middle = 1 / (1 + np.exp(-BINARY.centers()[coarse_bins(p, BINARY_STEPS)]))
    exact = by_rows(middle, middle, predicted, np.ones(800) if weights is None else weights)
    assert {name: estimate.value for name, estimate in found.items()} == pytest.approx(exact, abs=1e-9)


def test_the_other_class_can_be_the_positive_one() -> None:
    p, predicted, _ = made.binary(500)
    (cells,), (mirrored,) = made.cells(p, predicted), made.cells(1 - p, 1 - predicted)
    other, own = (expected(one, as_they_came(BINARY), name) for one, name in ((cells, "0"), (mirrored, None)))
    for name, estimate in own.items():
        assert other[name].value == pytest.approx(estimate.value, abs=1e-3)
        assert other[name].variance == pytest.approx(estimate.variance, rel=2e-2)


def test_more_classes_have_means_over_them_and_no_area() -> None:
    rng = np.random.default_rng(3)
    matrix = rng.dirichlet(np.ones(3) / 2, 4000)
    predicted = matrix.argmax(axis=1)
    (cells,) = made.cells(matrix, predicted)
    assert cells.layout is not None
    found = expected(cells, as_they_came(cells.layout), None)
    assert set(found) == {"accuracy", "precision", "recall", "f1"}
    assert found["accuracy"].value == pytest.approx(matrix.max(axis=1).mean(), abs=0.02)
    truth = np.array([rng.choice(3, p=row) for row in matrix])
    assert found["f1"].value == pytest.approx(f1_score(truth, predicted, average="macro"), abs=0.03)


def test_many_classes_have_an_accuracy_alone() -> None:
    matrix = np.random.default_rng(3).dirichlet(np.ones(30) / 10, 500)
    (cells,) = made.cells(matrix, matrix.argmax(axis=1))
    assert cells.layout is not None
    found = expected(cells, as_they_came(cells.layout), None)
    assert set(found) == {"accuracy"}
    assert found["accuracy"].value == pytest.approx(matrix.max(axis=1).mean(), abs=1 / 64)


def test_nothing_seen_tells_nothing() -> None:
    assert expected(ScoreCells(UNKNOWN_KINDS), as_they_came(BINARY), None) == {}


def squashed(p: Floats) -> Floats:
    """What an overconfident model would have said in place of `p`."""
    odds = 2.5 * np.log(p / (1 - p))
    return 1 / (1 + np.exp(-odds))


def test_intervals_hold_what_turns_out_as_often_as_they_say() -> None:
    """95 % of 300 windows, each figure's share within four standard deviations; the calibration is learned anew."""
    names = ("accuracy", "precision", "recall", "f1", "roc_auc")
    inside = dict.fromkeys(names, 0)
    for seed in range(300):
        p, _, truth = made.binary(2500, seed)
        said = squashed(p)
        predicted = (said >= 0.5).astype(np.int64)
        outcomes = Outcomes(BINARY)
        for fold, cells in enumerate(
            made.cells(said[:2000], predicted[:2000], truth[:2000], index=np.arange(2000) % 2, groups=2)
        ):
            outcomes.add(cells, fold)
        (window,) = made.cells(said[2000:], predicted[2000:])
        found = expected(window, outcomes.calibrations(), None)
        real = truths(truth[2000:], predicted[2000:], said[2000:])
        for name in names:
            low, high = found[name].interval()
            inside[name] += low <= real[name] <= high
    assert {name: count / 300 for name, count in inside.items()} == pytest.approx(dict.fromkeys(names, 0.95), abs=0.05)


def truths(truth: Ints, predicted: Ints, scores: Floats) -> dict[str, float]:
    return {
        "accuracy": float((truth == predicted).mean()),
        "precision": float(precision_score(truth, predicted)),
        "recall": float(recall_score(truth, predicted)),
        "f1": float(f1_score(truth, predicted)),
        "roc_auc": float(roc_auc_score(truth, scores)),
    }


def test_gradients_are_those_of_small_changes() -> None:
    """The variance of a figure is that of a linear function of the positives: held against moving one bin's q."""
    p, predicted, _ = made.binary(2000, 4)
    (cells,) = made.cells(p, predicted)
    q = as_they_came(BINARY)[0].probabilities
    for place in (120, 128, 135):
        spreads = np.zeros((1, len(q)))
        spreads[0, place] = 1e-4
        (moved,) = [Calibration("isotonic", q + spreads[0], np.zeros((0, len(q))))]
        (spread,) = [Calibration("isotonic", q, spreads)]
        before, after = expected(cells, as_they_came(BINARY), None), expected(cells, [moved], None)
        doubted = expected(cells, [spread], None)
        for name, estimate in before.items():
            slope = (doubted[name].variance - estimate.variance) ** 0.5
            assert slope == pytest.approx(abs(after[name].value - estimate.value), rel=1e-2, abs=1e-9)

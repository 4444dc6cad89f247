"""Calibration maps: against scikit-learn, and only where the probabilities are wrong."""

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from app.decoding.columns import Floats
from app.estimates.calibration import fit_calibration
from app.estimates.isotonic import isotonic
from app.estimates.layout import layout_of
from app.estimates.logistic import logistic, sigmoid

CENTERS = layout_of(("0", "1")).centers()
USED = np.abs(CENTERS) < 4


def outcomes(truth: Floats, rows: int, seed: int) -> tuple[Floats, Floats]:
    """(2, bins) rows and positives in two folds, where the bins come true by `truth`."""
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(rows // 2, USED / USED.sum(), size=2)
    return counts.astype(float), rng.binomial(counts, truth).astype(float)


@pytest.mark.parametrize("seed", range(5))
def test_isotonic_is_scikit_learns(seed: int) -> None:
    counts, positives = outcomes(sigmoid(0.4 * CENTERS), 3000, seed)
    rows, hits = counts.sum(axis=0), positives.sum(axis=0)
    used = np.flatnonzero(rows)
    fitted = IsotonicRegression().fit(used, hits[used] / rows[used], sample_weight=rows[used])
    found, spreads = isotonic(rows, hits)
    assert found[used] == pytest.approx(fitted.predict(used))
    assert (np.diff(found) >= 0).all()
    assert (spreads.sum(axis=0) > 0).all()


def test_the_curve_finds_its_own_coefficients() -> None:
    truth = sigmoid(0.3 + 0.6 * CENTERS + 0.5 * sigmoid(CENTERS))
    rows = np.where(USED, 1e6, 0.0)
    found, spreads = logistic(CENTERS, rows, rows * truth)
    assert found[USED] == pytest.approx(truth[USED], abs=1e-4)
    deviations = np.sqrt((spreads**2).sum(axis=0))
    assert (deviations[USED] < 1e-3).all()


def test_the_curve_spreads_as_its_fits_do() -> None:
    truth = sigmoid(0.5 * CENTERS)
    fits = []
    for seed in range(200):
        counts, positives = outcomes(truth, 4000, seed)
        fits.append(logistic(CENTERS, counts.sum(axis=0), positives.sum(axis=0)))
    told = np.sqrt((fits[0][1] ** 2).sum(axis=0))
    seen = np.std([fit[0] for fit in fits], axis=0)
    assert told[USED] == pytest.approx(seen[USED], rel=0.35)


@pytest.mark.parametrize("seed", range(20))
def test_probabilities_that_are_right_stay_as_they_are(seed: int) -> None:
    assert fit_calibration(CENTERS, *outcomes(sigmoid(CENTERS), 20_000, seed)).method == "none"


@pytest.mark.parametrize(
    ("truth", "method"),
    [
        (sigmoid(0.4 * CENTERS), "logistic"),
        # Steps are no curve of three terms.
        (np.where(CENTERS < -2, 0.05, np.where(CENTERS < 1, 0.5, 0.6)), "isotonic"),
    ],
)
def test_the_way_that_fits_better_is_taken(truth: Floats, method: str) -> None:
    found = fit_calibration(CENTERS, *outcomes(truth, 20_000, 1))
    assert found.method == method
    assert found.probabilities[USED] == pytest.approx(truth[USED], abs=0.06)


def test_few_rows_calibrate_nothing() -> None:
    assert fit_calibration(CENTERS, *outcomes(sigmoid(-CENTERS), 100, 1)).method == "none"


def test_a_world_with_one_answer_is_learned() -> None:
    rows = np.where(USED, 50.0, 0.0)
    found = fit_calibration(CENTERS, np.array([rows, rows]), np.zeros((2, len(rows))))
    assert found.probabilities[USED].max() < 0.02

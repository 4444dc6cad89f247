"""Evidence of counts in bins against all distributions within a tolerance."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import norm

from app.decoding.columns import Floats
from app.detection.multinomial import (
    alternatives,
    expected_distance,
    log_mixture,
    log_ratios,
    project,
    total_variation,
)

DECILES = norm.ppf(np.arange(1, 10) / 10)


def shifted(by: float) -> Floats:
    """(10,) shares in the deciles of a standard normal distribution after a shift."""
    return np.diff(norm.cdf(DECILES - by), prepend=0, append=1)


def test_the_projection_is_the_nearest_within_the_tolerance() -> None:
    """Held against a general optimizer over the same set."""
    rng = np.random.default_rng(1)
    reference, shares = rng.dirichlet(np.full(6, 5.0), 3), rng.dirichlet(np.full(6, 2.0), 3)
    tolerance = np.array([0.02, 0.05, 0.1])
    found = project(shares, reference, tolerance)
    assert found.sum(axis=1) == pytest.approx(1)
    assert total_variation(found, reference) == pytest.approx(tolerance)
    for q, p, least, own in zip(reference, shares, tolerance, found, strict=True):
        limits = [{"type": "eq", "fun": lambda z, s=s, t=least: z[s].sum() - t} for s in (slice(6), slice(6, 12))]
        best = minimize(
            lambda z, q=q, p=p: -(p * np.log(np.maximum(q + z[:6] - z[6:], 1e-12))).sum(),
            np.full(12, least / 6),
            bounds=[(0, 1)] * 12,
            constraints=limits,
            options={"maxiter": 500, "ftol": 1e-12},
        )
        assert -(p * np.log(own)).sum() == pytest.approx(best.fun, abs=1e-6)


def test_what_is_within_the_tolerance_is_its_own_projection() -> None:
    near = np.array([[0.3, 0.7]])
    assert (project(near, np.array([[0.32, 0.68]]), np.array([0.05])) == near).all()


def test_no_alternative_gains_on_average_within_the_tolerance() -> None:
    """For the reference, and for members of the ball that are as far away as allowed."""
    rng = np.random.default_rng(2)
    reference = rng.dirichlet(np.full(8, 3.0), 4)
    ordered = np.array([True, True, False, False])
    tolerance = np.full(4, 0.05)
    ratios = np.exp(log_ratios(alternatives(reference, tolerance, ordered), reference, tolerance))
    for far in rng.dirichlet(np.full(8, 0.5), 200):
        member = project(np.tile(far, (4, 1)), reference, tolerance)
        for truth in (reference, member):
            assert (np.einsum("fb,fab->fa", truth, ratios) <= 1 + 1e-9).all()


def test_the_mixture_gains_nothing_on_average() -> None:
    rng = np.random.default_rng(3)
    reference, tolerance = np.full((1, 10), 0.1), np.array([0.05])
    edge = project(shifted(0.5)[None], reference, tolerance)
    for truth, rows in ((reference, 40), (edge, 40), (edge, 400)):
        counts = rng.multinomial(rows, truth[0], 4000).astype(float)
        gains = np.exp(log_mixture(counts, np.repeat(reference, 4000, axis=0), np.full(4000, 0.05)))
        assert gains.mean() <= 1 + 3 * gains.std() / np.sqrt(4000)


def test_half_a_standard_deviation_shows_in_a_window_of_250_rows() -> None:
    rng = np.random.default_rng(4)
    reference = np.full((1, 10), 0.1)
    ratios = log_ratios(alternatives(reference, np.array([0.03]), np.array([True])), reference, np.array([0.03]))[0]
    counts = rng.multinomial(250, shifted(0.5), 500)
    assert np.median((counts @ ratios.T).max(axis=1)) > 9


def test_the_expected_distance_is_that_of_samples() -> None:
    rng = np.random.default_rng(5)
    shares = np.array([0.05, 0.15, 0.3, 0.5])
    samples = rng.multinomial(400, shares, 3000) / 400
    assert expected_distance(shares, np.array(400.0)) == pytest.approx(
        total_variation(samples, shares).mean(), rel=0.05
    )


def test_nothing_seen_says_nothing() -> None:
    assert log_mixture(np.zeros((1, 4)), np.full((1, 4), 0.25), np.array([0.02]))[0] == 0

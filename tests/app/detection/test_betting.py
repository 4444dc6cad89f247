"""Bets on shares: fair while nothing has changed, and growing as fast as the best bet when it has."""

import numpy as np
import pytest
from scipy.stats import binom

from app.detection.betting import CREDIBLE, ODDS, log_bets, lower, upper


@pytest.mark.parametrize("bound", [0.001, 0.1, 0.5, 0.97])
@pytest.mark.parametrize("rows", [1, 7, 60])
def test_no_bet_gains_on_average_up_to_the_bound(bound: float, rows: int) -> None:
    """Summed over all outcomes: exact."""
    k = np.arange(rows + 1.0)
    for share in (bound, 0.7 * bound):
        chances = binom.pmf(k, rows, share)[:, None]
        mean = (chances * np.exp(log_bets(k, np.full(rows + 1, float(rows)), np.full(rows + 1, bound)))).sum(axis=0)
        assert (mean <= 1 + 1e-9).all()


def test_rows_that_count_in_part_gain_no_more() -> None:
    rng = np.random.default_rng(1)
    hits = rng.beta(1, 9, (4000, 50)).sum(axis=1)
    gains = np.exp(log_bets(hits, np.full(4000, 50.0), np.full(4000, 0.1))).mean(axis=0)
    assert (gains <= 1.05).all()


def test_it_grows_by_the_divergence_of_the_alternative() -> None:
    bound = 0.1
    odds = ODDS * bound / (1 - bound)
    for place, share in enumerate(odds / (1 + odds)):
        growth = log_bets(np.array([1000 * share]), np.array([1000.0]), np.array([bound]))[0]
        divergence = share * np.log(share / bound) + (1 - share) * np.log((1 - share) / (1 - bound))
        assert growth[place] == pytest.approx(1000 * divergence)
        assert growth.argmax() == place


def test_nothing_seen_says_nothing() -> None:
    assert (log_bets(np.zeros(1), np.zeros(1), np.array([0.2])) == 0).all()


def test_the_ends_of_the_interval_cover() -> None:
    for share, rows in ((0.01, 500), (0.1, 100), (0.5, 40)):
        k = np.arange(rows + 1.0)
        n = np.full(rows + 1, float(rows))
        for z, level in ((2.58, 0.98), (CREDIBLE, 0.86)):
            inside = (lower(k, n, z) <= share) & (share <= upper(k, n, z))
            assert binom.pmf(k[inside], rows, share).sum() > level
    assert upper(np.zeros(1), np.zeros(1))[0] == 1
    assert lower(np.zeros(1), np.zeros(1))[0] == 0

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from app.decoding.columns import Floats
from app.drift.resemblance import EXPECTED, chi_square, equality, freedom, merged, resemblance


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=2, max_size=12))
@settings(deadline=None)
def test_chi_square_as_scipy_says(cells: list[tuple[int, int]]) -> None:
    table = np.array(cells, np.float64).T
    used = table[:, table.any(axis=0)]
    if not table.any(axis=1).all() or used.shape[1] < 2:
        return
    expected = stats.chi2_contingency(used, correction=False)
    statistic, free = chi_square(table[:1], table[1:]), freedom(table[:1], table[1:])
    assert statistic[0] == pytest.approx(expected.statistic, abs=1e-9)
    assert free[0] == expected.dof
    assert equality(statistic, free)[0] == pytest.approx(expected.pvalue, rel=1e-9)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 90)), min_size=2, max_size=12))
@settings(deadline=None)
def test_merged_bins_are_full_and_hold_all_rows(cells: list[tuple[int, int]]) -> None:
    table = np.array(cells, np.float64).T
    counts, reference = merged(table[:1], table[1:])
    assert (counts.sum(), reference.sum()) == (table[0].sum(), table[1].sum())
    both = (counts + reference)[0]
    smaller = min(counts.sum(), reference.sum()) / max(both.sum(), 1)
    if smaller * both.sum() >= EXPECTED:
        assert (both[both > 0] * smaller >= EXPECTED - 1e-9).all()


def test_full_bins_stay_as_they_are() -> None:
    counts, reference = np.array([[20.0, 30.0, 25.0]]), np.array([[200.0, 300.0, 250.0]])
    assert [own.tolist() for own in merged(counts, reference)] == [counts.tolist(), reference.tolist()]


def test_resemblance_is_the_tail_of_the_non_central_distribution() -> None:
    statistic, free = np.array([12.0, 60.0]), np.array([9, 9])
    away = 0.2**2 / (1 / 500 + 1 / 2000)
    rows, reference_rows = np.array([500.0, 500.0]), np.array([2000.0, 2000.0])
    expected = stats.ncx2.sf(statistic, 9, away)
    assert resemblance(statistic, free, rows, reference_rows, 0.2) == pytest.approx(expected, rel=1e-6)
    assert resemblance(statistic, free, rows, reference_rows, 0.0) == pytest.approx(equality(statistic, free))


def test_nothing_to_compare() -> None:
    empty, full = np.zeros((1, 3)), np.array([[1.0, 2.0, 3.0]])
    assert np.isnan(chi_square(empty, full)).all()
    assert np.isnan(equality(chi_square(empty, full), freedom(empty, full))).all()
    alone = np.array([[0.0, 9.0, 0.0]])
    assert equality(chi_square(alone, alone), freedom(alone, alone)).tolist() == [1.0]


@pytest.mark.parametrize(("rows", "moved"), [(60, 0.0), (400, 0.0), (2000, 0.1)])
def test_no_change_that_matters_is_rarely_called_one(rows: int, moved: float) -> None:
    """Of streams that moved by less than the tolerance, at most 1 % are found at the level of 1 % (99.9 % of such
    simulations would lie below the bound)."""
    rng = np.random.default_rng(rows)
    runs, bins = 4000, 20
    edges = stats.norm.ppf(np.arange(1, bins) / bins)
    shares = np.diff(np.concatenate([[0.0], stats.norm.cdf(edges - moved), [1.0]]))
    p_values = tail(rng.multinomial(rows, shares, runs), rng.multinomial(1000, np.full(bins, 1 / bins), runs))
    assert (p_values < 0.01).mean() <= stats.binom.ppf(0.999, runs, 0.01) / runs


def test_a_change_that_matters_is_found() -> None:
    rng = np.random.default_rng(1)
    shares = np.diff(np.concatenate([[0.0], stats.norm.cdf(stats.norm.ppf(np.arange(1, 20) / 20) - 0.5), [1.0]]))
    p_values = tail(rng.multinomial(1000, shares, 500), rng.multinomial(1000, np.full(20, 0.05), 500))
    assert (p_values < 0.01).all()


def tail(counts: Floats, reference: Floats) -> Floats:
    pooled, pooled_reference = merged(counts, reference)
    statistic, free = chi_square(pooled, pooled_reference), freedom(pooled, pooled_reference)
    return resemblance(statistic, free, counts.sum(axis=1), reference.sum(axis=1), 0.2)

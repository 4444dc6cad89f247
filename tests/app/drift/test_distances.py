import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from app.decoding.columns import Floats
from app.drift.distances import hellinger, jensen_shannon, kolmogorov_smirnov, total_variation, wasserstein

BINS = 6


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Floats, Floats, Floats]:
    """(1, b) shares of both, and where their bins lie."""
    counts = st.lists(st.integers(0, 50), min_size=BINS, max_size=BINS).filter(any)
    p, q = (np.array(draw(counts), np.float64) for _ in range(2))
    steps = draw(st.lists(st.floats(0, 10), min_size=BINS, max_size=BINS))
    return p[None] / p.sum(), q[None] / q.sum(), np.cumsum(steps)[None]


@given(pairs())
@settings(deadline=None)
def test_as_scipy_says_of_the_same_bins(pair: tuple[Floats, Floats, Floats]) -> None:
    p, q, locations = pair
    assert jensen_shannon(p, q)[0] == pytest.approx(float(jensenshannon(p[0], q[0], base=2)), abs=1e-7)
    expected = stats.wasserstein_distance(locations[0], locations[0], p[0], q[0])
    assert wasserstein(p, q, locations)[0] == pytest.approx(expected, abs=1e-9)
    assert total_variation(p, q)[0] == pytest.approx(np.maximum(p - q, 0).sum(), abs=1e-12)
    assert hellinger(p, q)[0] == pytest.approx(np.sqrt(max(1 - np.sqrt(p * q).sum(), 0)), abs=1e-7)


@given(pairs())
@settings(deadline=None)
def test_kolmogorov_smirnov_is_that_of_rows_at_their_bins(pair: tuple[Floats, Floats, Floats]) -> None:
    p, q, _ = pair
    raw = [np.repeat(np.arange(BINS), np.round(shares[0] * 27_720).astype(int)) for shares in (p, q)]
    assert kolmogorov_smirnov(p, q)[0] == pytest.approx(stats.ks_2samp(*raw, method="asymp").statistic, abs=1e-3)


@given(pairs())
@settings(deadline=None)
def test_all_are_distances(pair: tuple[Floats, Floats, Floats]) -> None:
    p, q, locations = pair
    for distance in (total_variation, hellinger, jensen_shannon, kolmogorov_smirnov):
        assert distance(p, p)[0] == 0
        assert distance(p, q)[0] == pytest.approx(distance(q, p)[0], abs=1e-12)
        assert -1e-12 <= distance(p, q)[0] <= 1 + 1e-12
    assert wasserstein(p, p, locations)[0] == 0
    # What is known of how they lie to each other (Gibbs and Su, 2002, International Statistical Review 70).
    assert hellinger(p, q)[0] ** 2 <= total_variation(p, q)[0] + 1e-12
    assert kolmogorov_smirnov(p, q)[0] <= total_variation(p, q)[0] + 1e-12


def test_rows_do_not_touch_each_other() -> None:
    rng = np.random.default_rng(1)
    p, q = rng.dirichlet(np.ones(BINS), 20), rng.dirichlet(np.ones(BINS), 20)
    locations = np.sort(rng.normal(size=(20, BINS)), axis=1)
    for distance in (total_variation, hellinger, jensen_shannon, kolmogorov_smirnov):
        alone = [distance(p[row : row + 1], q[row : row + 1])[0] for row in range(20)]
        assert distance(p, q).tolist() == alone
    alone = [wasserstein(p[i : i + 1], q[i : i + 1], locations[i : i + 1])[0] for i in range(20)]
    assert wasserstein(p, q, locations).tolist() == alone

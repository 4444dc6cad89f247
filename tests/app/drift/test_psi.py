import numpy as np
import pytest

from app.decoding.columns import Floats, Ints
from app.drift.psi import bias_free, psi


def plain(counts: Ints, reference: Ints) -> float:
    """As the textbook says, with half a row in each bin."""
    p: Floats = (counts + 0.5) / (counts + 0.5).sum()
    q: Floats = (reference + 0.5) / (reference + 0.5).sum()
    return float(((p - q) * np.log(p / q)).sum())


def test_the_bias_is_taken_out() -> None:
    counts, reference = np.array([30, 40, 30, 100]), np.array([100, 200, 100, 100])
    bias = 3 * (1 / 200 + 1 / 500)
    assert psi(counts, reference) == pytest.approx(plain(counts, reference) - bias, rel=1e-12)


def test_bins_that_are_empty_in_both_do_not_count() -> None:
    counts, reference = np.array([30, 0, 70]), np.array([50, 0, 50])
    assert psi(counts, reference) == psi(counts[[0, 2]], reference[[0, 2]])


def test_without_change_it_is_near_zero_whatever_the_size() -> None:
    rng, shares = np.random.default_rng(1), np.full(12, 1 / 12)
    for rows in (100, 1000, 20_000):
        counts, reference = rng.multinomial(rows, shares, 300), rng.multinomial(1000, shares, 300)
        unbiased = [psi(c, r) for c, r in zip(counts, reference, strict=True)]
        raw = [plain(c, r) for c, r in zip(counts, reference, strict=True)]
        bias = 11 * (1 / rows + 1 / 1000)
        assert np.mean(raw) == pytest.approx(bias, rel=0.15)
        assert np.median(unbiased) < 0.1 * bias  # half of them are cut to 0


def test_never_below_zero_and_none_without_data() -> None:
    same = np.array([10, 10, 10])
    assert psi(same, same * 3) == 0
    assert psi(same * 0, same) is None
    assert psi(same, same * 0) is None
    assert psi(same[:0], same[:0]) is None


def test_many_features_at_once_are_each_by_itself() -> None:
    rng = np.random.default_rng(2)
    lengths = [3, 1, 12, 5]
    counts = [rng.integers(0, 20, n) for n in lengths]
    reference = [rng.integers(0, 50, n) for n in lengths]
    counts[3][:] = 0
    starts = np.cumsum([0, *lengths[:-1]])
    found = bias_free(np.concatenate(counts), np.concatenate(reference), starts)
    expected = [psi(c, r) for c, r in zip(counts, reference, strict=True)]
    assert found[:3].tolist() == pytest.approx(expected[:3], rel=1e-12)
    assert np.isnan(found[3])
    assert expected[3] is None
    assert len(bias_free(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64))) == 0

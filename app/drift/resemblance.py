"""Is it different, and is it different enough to matter? Chi-square tests of counts over the same bins.

`counts`, `reference`: (k, b) rows in each bin; rows are features, and one that has fewer bins ends in zeros. Both are
samples, so the test is that of two of them, not of one against known shares. All give (k,).
"""

import numpy as np
from scipy.special import chdtrc, chndtr

from app.decoding.columns import Floats, Ints

# Fewer expected rows than this in a bin, and chance is not what the chi-square distribution says.
EXPECTED = 5.0


def merged(counts: Ints | Floats, reference: Ints | Floats) -> tuple[Floats, Floats]:
    """Both with bins put together, from left to right, until each has five expected rows or more (Cochran, 1954,
    Biometrics 10).

    Which ones is decided by the sums of both samples alone, so that it says nothing of their difference.
    """
    rows, reference_rows = counts.sum(axis=1), reference.sum(axis=1)
    fewer = np.minimum(rows, reference_rows) / np.maximum(rows + reference_rows, 1)
    expected = (counts + reference) * fewer[:, None]
    left = np.cumsum(expected[:, ::-1], axis=1)[:, ::-1]
    places = np.zeros(expected.shape, np.int64)
    place, own = np.zeros(len(rows), np.int64), np.zeros(len(rows))
    for column in range(expected.shape[1]):
        full = (own >= EXPECTED) & (left[:, column] >= EXPECTED)
        place += full
        own = np.where(full, 0.0, own) + expected[:, column]
        places[:, column] = place
    flat = places + np.arange(len(rows))[:, None] * expected.shape[1]
    sums = [np.bincount(flat.ravel(), values.ravel(), expected.size) for values in (counts, reference)]
    return sums[0].reshape(expected.shape), sums[1].reshape(expected.shape)


def chi_square(counts: Ints | Floats, reference: Ints | Floats) -> Floats:
    """Pearson's statistic of homogeneity (1911, Biometrika 8), as of `scipy.stats.chi2_contingency` without correction.

    NaN where one of the two is empty.
    """
    rows, reference_rows = counts.sum(axis=1), reference.sum(axis=1)
    both = counts + reference
    with np.errstate(divide="ignore", invalid="ignore"):
        gaps = counts * np.sqrt(reference_rows / rows)[:, None] - reference * np.sqrt(rows / reference_rows)[:, None]
        found: Floats = np.where(both > 0, gaps * gaps / both, 0.0).sum(axis=1)
    found[(rows == 0) | (reference_rows == 0)] = np.nan
    return found


def freedom(counts: Ints | Floats, reference: Ints | Floats) -> Ints:
    """The bins that either has rows in, less one."""
    found: Ints = np.maximum(((counts > 0) | (reference > 0)).sum(axis=1) - 1, 0)
    return found


def equality(statistic: Floats, freedom: Ints) -> Floats:
    """How likely a statistic as large is by chance where nothing has changed. 1 where there is one bin only."""
    found: Floats = np.where(freedom > 0, chdtrc(np.maximum(freedom, 1), np.nan_to_num(statistic)), 1.0)
    return np.where(np.isnan(statistic), np.nan, found)


def resemblance(
    statistic: Floats, freedom: Ints, rows: Ints | Floats, reference_rows: Ints | Floats, tolerance: float
) -> Floats:
    """How likely a statistic as large is where the change is just as large as is tolerated.

    The population resemblance statistic (Potgieter, van Zyl, Schutte and Lombard, arXiv:2307.11878), for two samples:
    if sum((p - q)^2 / r) = `tolerance`^2, with r the shares of both together, the statistic follows the non-central
    chi-square distribution with non-centrality tolerance^2 / (1/n + 1/m).
    """
    with np.errstate(divide="ignore"):
        away = tolerance * tolerance / (1 / rows + 1 / reference_rows)
    found: Floats = 1.0 - chndtr(np.nan_to_num(statistic), np.maximum(freedom, 1), away)
    return np.where(np.isnan(statistic), np.nan, np.where(freedom > 0, np.clip(found, 0.0, 1.0), 1.0))

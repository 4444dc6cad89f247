"""Distances between two distributions over the same bins. Rows are features, columns bins.

`p`, `q`: (k, b) shares that add up to 1 in each row; a row that is shorter than others ends in zeros. All give (k,).
What they mean, and when each of them misleads: docs/statistics.md.
"""

import numpy as np

from app.decoding.columns import Floats


def total_variation(p: Floats, q: Floats) -> Floats:
    """The share of rows that would have to lie in another bin: half the sum of the differences. 0 to 1."""
    found: Floats = np.abs(p - q).sum(axis=1) / 2
    return found


def hellinger(p: Floats, q: Floats) -> Floats:
    """Hellinger (1909, Journal fuer die reine und angewandte Mathematik 136). 0 to 1."""
    found: Floats = np.sqrt(((np.sqrt(p) - np.sqrt(q)) ** 2).sum(axis=1) / 2)
    return found


def jensen_shannon(p: Floats, q: Floats) -> Floats:
    """The root of the Jensen-Shannon divergence in bits (Endres and Schindelin, 2003, IEEE Transactions on Information
    Theory 49), a metric: `scipy.spatial.distance.jensenshannon` with base 2. 0 to 1."""
    middle = (p + q) / 2
    divergence = _relative_entropy(p, middle).sum(axis=1) + _relative_entropy(q, middle).sum(axis=1)
    found: Floats = np.sqrt(np.maximum(divergence, 0.0) / 2)
    return found


def kolmogorov_smirnov(p: Floats, q: Floats) -> Floats:
    """The largest difference of the shares below a bin's upper edge. 0 to 1.

    That of the raw values is at least this, and larger by at most the larger share in one bin.
    """
    found: Floats = np.abs(np.cumsum(p - q, axis=1)).max(axis=1, initial=0.0)
    return found


def wasserstein(p: Floats, q: Floats, locations: Floats) -> Floats:
    """How far rows would have to move on average, in the unit of `locations` (k, b), which must not fall.

    That of the raw values differs by at most the mean way from a value to its bin's location, over both (Ramdas, Garcia
    and Cuturi, 2017, Entropy 19, section 2.3).
    """
    found: Floats = (np.abs(np.cumsum(p - q, axis=1)[:, :-1]) * np.diff(locations, axis=1)).sum(axis=1)
    return found


def _relative_entropy(p: Floats, q: Floats) -> Floats:
    """p log2(p / q), (k, b), 0 where p is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(p > 0, p * np.log2(p / q), 0.0)

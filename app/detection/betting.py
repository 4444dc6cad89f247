"""Betting against a share: evidence that k of n is more than a bound explains."""

import numpy as np

from app.decoding.columns import Floats

# Alternatives: the odds of the bound times these. Between two of them little is lost; log(5) is what not knowing costs.
ODDS: Floats = np.array([1.25, 1.6, 2.2, 4.0, 12.0])
# Of a reference's share the largest that its rows leave credible. One in twenty lies further off, but little: so near
# to the bound a bet wins next to nothing, and meanwhile the reference grows.
CREDIBLE = 1.64
LEAST, MOST = 1e-6, 1 - 1e-6


def log_bets(k: Floats, n: Floats, bound: Floats) -> Floats:
    """(..., 5) logarithms of what bets on each alternative made of 1, after k of n; all of shape (...).

    A bet on p1 > bound multiplies by p1 / bound for each hit and by (1 - p1) / (1 - bound) for each miss: at most 1 on
    average while the share is at or below the bound, also where a row counts any part of 1 (Waudby-Smith and Ramdas,
    arXiv:2010.09686, section 4). Fractional k and n, of rows that say less than independent ones, keep that (Jensen).
    """
    null = np.clip(bound, LEAST, MOST)[..., None]
    odds = ODDS * null / (1 - null)
    hit, miss = np.log(odds / (1 + odds) / null), -np.log((1 + odds) * (1 - null))
    bets: Floats = k[..., None] * hit + (n - k)[..., None] * miss
    return bets


def upper(k: Floats, n: Floats, z: float = CREDIBLE) -> Floats:
    """The upper end of Wilson's interval for the share behind k of n (JASA 22, 1927); 1 for n = 0."""
    rows = np.maximum(n, 1e-9)
    share = k / rows
    centre, wide = share + z * z / (2 * rows), z * np.sqrt(share * (1 - share) / rows + (z / rows) ** 2 / 4)
    top: Floats = np.where(n > 0, np.minimum((centre + wide) / (1 + z * z / rows), 1.0), 1.0)
    return top


def lower(k: Floats, n: Floats, z: float = CREDIBLE) -> Floats:
    """The lower end of it; 0 for n = 0."""
    low: Floats = 1 - upper(n - k, n, z)
    return low

"""Since when the world has been as it is now: learning from rows before that would teach what is no longer true."""

from math import sqrt

import numpy as np

from app.decoding.columns import Floats

# Under no change the largest |T| over all splits of 1,000 to 1,000,000 rows stays below 5 in all but about
# one of 10,000 series (measured by simulation, and in line with the Bonferroni bound of normal tails).
THRESHOLD = 5.0


def regime_start(losses: Floats, least: int) -> int:
    """The first row after which the current version's losses became worse for good; 0 when they did not.

    `losses`: (n,) in order of time, NaN where unknown. Both sides of a split have at least `least` known rows. The
    split is the one with the largest standardised difference of means (Hawkins, "Testing a sequence of observations
    for a shift in location", JASA 72, 1977); in what follows it the search goes on, for the last such change.
    """
    start = 0
    while (split := _worsening(losses[start:], least)) is not None:
        start += split
    return start


def _worsening(losses: Floats, least: int) -> int | None:
    """The row of the strongest rise of the mean, None when no split is beyond the threshold."""
    known = np.flatnonzero(~np.isnan(losses))
    n = len(known)
    if n < 2 * least or n < 3:
        return None
    values = losses[known]
    left = np.arange(least, n - least + 1)
    sums = np.cumsum(values)
    means_left = sums[left - 1] / left
    means_right = (sums[-1] - sums[left - 1]) / (n - left)
    statistics = (means_right - means_left) * np.sqrt(left * (n - left) / n)
    best = int(np.argmax(statistics))
    spread = _spread_within(values, int(left[best]))
    if statistics[best] <= THRESHOLD * spread or statistics[best] <= 0:
        return None
    return int(known[left[best]])


def _spread_within(values: Floats, split: int) -> float:
    """The pooled standard deviation of the two sides."""
    before, after = values[:split], values[split:]
    squares = ((before - before.mean()) ** 2).sum() + ((after - after.mean()) ** 2).sum()
    return sqrt(squares / (len(values) - 2))

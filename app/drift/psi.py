"""The population stability index, with what chance alone adds to it taken out."""

import numpy as np

from app.decoding.columns import Floats, Ints


def psi(counts: Ints | Floats, reference: Ints | Floats) -> float | None:
    """PSI of two vectors of counts over the same bins; None while one of them is empty.

    The sum of (p - q) * ln(p / q), with half a row added to each bin so that an empty one does no harm. Without any
    change it is about (B - 1) * (1/n + 1/m) for B bins and n and m rows (Yurdakul and Naranjo, 2020, J. Risk Model
    Validation 14(4)): that much is subtracted, and the result is never below 0.
    """
    used = (counts > 0) | (reference > 0)
    found = bias_free(counts[used], reference[used], np.zeros(1, np.int64))
    return None if not used.any() or not counts.sum() or not reference.sum() else float(found[0])


def bias_free(counts: Ints | Floats, reference: Ints | Floats, starts: Ints) -> Floats:
    """(k,) PSI of k features whose bins lie one after another, from `starts` (k,) on; NaN where either is empty."""
    if not len(starts) or not len(counts):
        return np.full(len(starts), np.nan)
    lengths = np.diff(starts, append=len(counts))
    used = (counts > 0) | (reference > 0)
    bins = np.add.reduceat(used.astype(np.float64), starts)
    rows, reference_rows = np.add.reduceat(counts, starts), np.add.reduceat(reference, starts)
    smoothed = [
        np.where(used, values + 0.5, 1.0) / np.repeat(np.maximum(total + 0.5 * bins, 0.5), lengths)
        for values, total in ((counts, rows), (reference, reference_rows))
    ]
    terms = np.where(used, (smoothed[0] - smoothed[1]) * np.log(smoothed[0] / smoothed[1]), 0.0)
    with np.errstate(divide="ignore"):
        bias = (bins - 1) * (1 / rows + 1 / reference_rows)
    found = np.maximum(np.add.reduceat(terms, starts) - bias, 0.0)
    return np.where((rows > 0) & (reference_rows > 0), found, np.nan)

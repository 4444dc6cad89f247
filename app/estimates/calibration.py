"""What a probability has been worth: from counts of outcomes in bins of the log-odds."""

from dataclasses import dataclass

import numpy as np

from app.decoding.columns import Floats
from app.estimates.isotonic import isotonic
from app.estimates.logistic import logistic, sigmoid

# Rows of every other window or place are held out while the ways of calibrating are compared.
FOLDS = 2
FEWEST_ROWS = 200
# The probabilities are believed as they are until a held-out likelihood ratio of e to this power speaks against them.
EVIDENCE = 10.0
# A held-out outcome of probability 0 must not decide alone.
_CLIP = 1e-4


@dataclass(frozen=True)
class Calibration:
    """Bins of the log-odds -> `probabilities` (bins,) of a positive.

    `spreads`: (r, bins), how uncertain they are: its square is their covariance. `method`: "none" for the
    probabilities as they came, "isotonic" or "logistic".
    """

    method: str
    probabilities: Floats
    spreads: Floats


def as_given(centers: Floats) -> Calibration:
    """The probabilities as they came."""
    return Calibration("none", sigmoid(centers), np.zeros((0, len(centers))))


def fit_calibration(centers: Floats, rows: Floats, positives: Floats) -> Calibration:
    """The better one of isotonic and logistic by held-out log loss; none where what is given holds as it is.

    `centers`: (bins,) the log-odds of the bins; `rows`, `positives`: (2, bins) of the two folds. The ratio of
    held-out likelihoods is an e-value: given probabilities that hold are changed once in e^10 times (Wasserman, Ramdas
    and Balakrishnan, "Universal inference", PNAS 117, 2020).
    """
    given = as_given(centers)
    if rows.sum() < FEWEST_ROWS or min(rows.sum(axis=1)) < FEWEST_ROWS / 4:
        return given
    losses = dict.fromkeys(("isotonic", "logistic"), 0.0)
    before = 0.0
    for fold in range(FOLDS):
        before += _loss(given.probabilities, rows[fold], positives[fold])
        for method in losses:
            tried = _fitted(method, centers, rows[1 - fold], positives[1 - fold])
            losses[method] += _loss(tried.probabilities, rows[fold], positives[fold])
    best = min(losses, key=losses.__getitem__)
    # Each fold's ratio is an e-value, and so is their mean: half the sum of the logarithms is below its logarithm.
    if (before - losses[best]) / FOLDS < EVIDENCE:
        return given
    return _fitted(best, centers, rows.sum(axis=0), positives.sum(axis=0))


def _fitted(method: str, centers: Floats, rows: Floats, positives: Floats) -> Calibration:
    if method == "isotonic":
        return Calibration(method, *isotonic(rows, positives))
    return Calibration(method, *logistic(centers, rows, positives))


def _loss(probabilities: Floats, rows: Floats, positives: Floats) -> float:
    q = np.clip(probabilities, _CLIP, 1 - _CLIP)
    return float(-(positives * np.log(q) + (rows - positives) * np.log1p(-q)).sum())

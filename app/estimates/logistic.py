"""Smooth calibration: a logistic curve over the log-odds and the probability itself."""

import numpy as np

from app.decoding.columns import Floats

# Keeps the coefficients finite where positives and negatives can be told apart without a mistake.
_RIDGE = 1e-3
_STEPS = 50
_ENOUGH = 1e-9


def sigmoid(odds: Floats) -> Floats:
    """The probability of each log-odds."""
    probabilities: Floats = 1 / (1 + np.exp(-np.clip(odds, -40, 40)))
    return probabilities


def logistic(centers: Floats, rows: Floats, positives: Floats) -> tuple[Floats, Floats]:
    """(bins,) the probability of a positive, and (3, bins) what spreads it: the covariance is that table's square.

    Platt's scaling (1999) with one term more: logit q = a + b logit p + c p. `centers`: (bins,) logit p;
    `rows`, `positives`: (bins,). Fitted by Newton's method, with a slight ridge; the spread is the delta method's.
    """
    terms = np.stack([np.ones(len(centers)), centers, sigmoid(centers)], axis=1)
    ridge = _RIDGE * np.eye(terms.shape[1])
    weights = np.array([0.0, 1.0, 0.0])
    start = weights.copy()
    for _ in range(_STEPS):
        q = sigmoid(terms @ weights)
        slope = terms.T @ (positives - rows * q) - ridge @ (weights - start)
        curvature = terms.T @ (terms * (rows * q * (1 - q))[:, None]) + ridge
        step = np.linalg.solve(curvature, slope)
        # Newton's method overshoots where the curve is flat: no step moves the log-odds by more than a few.
        longest = float(np.abs(terms @ step).max())
        weights = weights + step * min(1.0, 4.0 / max(longest, 1e-12))
        if longest < _ENOUGH:
            break
    q = sigmoid(terms @ weights)
    root = np.linalg.cholesky(np.linalg.inv(curvature))
    spreads: Floats = (terms @ root * (q * (1 - q))[:, None]).T
    return q, spreads

"""Can a classifier tell the window's rows from the reference's? A two-sample test that sees changed relations."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.special import ndtr

from app.decoding.columns import Floats, Ints

# Fewer rows on either side say little.
FEWEST_ROWS = 100
# Regressors that a classifier is made of: of all features and products those that differ most in its training rows.
STRONGEST = 16
RIDGE = 0.1
# Bins of the scores of rows that a classifier has not seen, each with as many of the reference's.
SCORE_BINS = 10
# An area up to half and this much is no difference that matters, and may come from the reference's own sample.
TOLERANCE = 0.03


@dataclass(frozen=True, slots=True)
class Separation:
    """`auc`: area under the ROC curve of a classifier of unseen rows, about 0.5 while nothing has changed.

    `p_value`: of an area of at most 0.53. `window`, `reference`: (10,) rows of each between tenths of the reference's
    scores, so that evidence can add up over windows as that of any feature does.
    """

    auc: float
    p_value: float
    window: Ints
    reference: Ints


def separation(reference: Floats, window: Floats) -> Separation | None:
    """How well rows of `window` (n, F) and `reference` (m, F) are told apart; None with fewer than 100 of either.

    The classifier two-sample test (Lopez-Paz and Oquab, 2017, ICLR) by cross-fitting: each half is scored by a ridge
    discriminant over features and their pairwise products that was trained on the other half. The halves' areas have
    the variance of Mann and Whitney (1947, Annals of Mathematical Statistics 18), and are correlated as they may be:
    the mean of their two z-scores has a variance of at most 1.
    """
    if min(len(reference), len(window)) < FEWEST_ROWS or not reference.shape[1]:
        return None
    areas, scores = [], []
    counts = np.zeros((2, SCORE_BINS), np.int64)
    for half in (0, 1):
        rule = _discriminant(reference[1 - half :: 2], window[1 - half :: 2])
        usual, found = rule.scores(reference[half::2]), rule.scores(window[half::2])
        area, variance = _area(usual, found)
        areas.append(area)
        scores.append((area - 0.5 - TOLERANCE) / sqrt(variance) if variance > 0 else 0.0)
        edges = np.sort(usual)[np.arange(1, SCORE_BINS) * len(usual) // SCORE_BINS]
        for own, rows in zip(counts, (found, usual), strict=True):
            own += np.bincount(np.searchsorted(edges, rows, side="right"), minlength=SCORE_BINS)
    return Separation(round(sum(areas) / 2, 6), float(ndtr(-sum(scores) / 2)), counts[0], counts[1])


@dataclass(frozen=True, slots=True)
class _Discriminant:
    """`left`, `right`: (k,) the features of each product; the last feature is the constant 1. `weights`: (k,)."""

    left: Ints
    right: Ints
    weights: Floats

    def scores(self, rows: Floats) -> Floats:
        whole = _with_constant(rows)
        scores: Floats = (whole[:, self.left] * whole[:, self.right]) @ self.weights
        return scores


def _discriminant(reference: Floats, window: Floats) -> _Discriminant:
    """Fisher's linear discriminant of the strongest regressors, both sides weighing the same, with a ridge."""
    both = [_with_constant(reference), _with_constant(window)]
    means = [rows.T @ rows / len(rows) for rows in both]
    squares = [(rows * rows).T @ (rows * rows) / len(rows) for rows in both]
    spread = np.sqrt(np.maximum((squares[0] + squares[1]) / 2 - ((means[0] + means[1]) / 2) ** 2, 0.0))
    left, right = np.triu_indices(len(spread))
    spread, shift = spread[left, right], (means[1] - means[0])[left, right]
    effect = np.divide(shift, spread, out=np.zeros_like(shift), where=spread > 1e-9)
    top = np.argsort(-np.abs(effect), kind="stable")[:STRONGEST]
    top = top[effect[top] != 0]
    left, right, spread, effect = left[top], right[top], spread[top], effect[top]
    centre = (means[0] + means[1])[left, right] / 2
    standard = [(rows[:, left] * rows[:, right] - centre) / spread for rows in both]
    within = sum(rows.T @ rows / len(rows) for rows in standard) / 2
    weights = np.linalg.solve(within + RIDGE * np.eye(len(top)), effect) / spread
    return _Discriminant(left, right, weights)


def _with_constant(rows: Floats) -> Floats:
    return np.column_stack([rows, np.ones(len(rows))])


def _area(reference: Floats, window: Floats) -> tuple[float, float]:
    """The area under the ROC curve, ties as halves, and its variance if both were from one distribution."""
    scores = np.concatenate([reference, window])
    _, codes, ties = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(ties) - (ties - 1) / 2)[codes]
    m, n, whole = len(reference), len(window), len(scores)
    area = (ranks[m:].sum() - n * (n + 1) / 2) / (m * n)
    tied = float((ties.astype(np.float64) ** 3 - ties).sum()) / (whole * (whole - 1))
    return float(area), (whole + 1 - tied) / (12 * m * n)

"""Gradient boosting of oblivious trees for positive losses, in numpy (Friedman, Annals of Statistics 29, 2001).

The loss functions are Poisson deviances of each output, so that expected losses are positive and, over the rows that
were fitted, add up to the real ones. One structure serves all outputs: it is that which suits them best together.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import FeatureColumn, Floats, Ints
from app.estimates.trees import PREDICTION, LossTrees, Tree, coded

TREES = 16
LEVELS = 5
RATE = 0.4
# Thresholds tried of an input: quantiles, in steps of 1/64.
CUTS = 64
# A leaf's value is drawn to none as if so many rows more fitted already.
PRIOR_ROWS = 20
MOST_CATEGORIES = 100


def fit_trees(columns: Mapping[str, FeatureColumn], predictions: Floats, losses: Floats) -> LossTrees:
    """`columns`: features; `predictions`: (n,); `losses`: (outputs, n), none negative, with a mean above 0."""
    codes = {name: _codes(column, losses[0]) for name, column in columns.items() if column.values is not None}
    codes = {name: own for name, own in codes.items() if own}
    inputs = {PREDICTION: predictions} | {
        name: coded(column, codes[name], len(predictions)) if name in codes else column.numbers
        for name, column in sorted(columns.items())
    }
    cuts = {name: own for name, values in inputs.items() if len(own := _cuts(values))}
    bins = {name: _bins(inputs[name], own) for name, own in cuts.items()}
    base = np.log(losses.mean(axis=1))
    logarithms = np.repeat(base[:, None], len(predictions), axis=1)
    trees = []
    for _ in range(TREES if cuts else 0):
        tree = _grow(bins, cuts, losses, np.exp(logarithms))
        logarithms += tree[0].values[:, tree[1]]
        trees.append(tree[0])
    base = base + np.log(losses.mean(axis=1) / np.exp(logarithms).mean(axis=1))
    return LossTrees(tuple(base.tolist()), tuple(trees), codes)


def _codes(column: FeatureColumn, losses: Floats) -> dict[str, float]:
    """The most frequent texts, numbered by their mean loss: one threshold then parts good from bad."""
    sums: dict[str, list[float]] = {}
    for value, loss in zip(column.values or (), losses.tolist(), strict=False):
        if type(value) is str:
            own = sums.setdefault(value, [0.0, 0.0])
            own[0] += 1
            own[1] += loss
    frequent = sorted(sums, key=lambda text: (-sums[text][0], text))[:MOST_CATEGORIES]
    ranked = sorted(frequent, key=lambda text: (sums[text][1] / sums[text][0], text))
    return {text: float(place) for place, text in enumerate(ranked)}


def _cuts(values: Floats) -> Floats:
    """Thresholds above the least value."""
    present = np.sort(values[~np.isnan(values)])
    if not len(present):
        return present
    cuts = np.unique(present[np.arange(1, CUTS) * len(present) // CUTS])
    above: Floats = cuts[cuts > present[0]]
    return above


def _bins(values: Floats, cuts: Floats) -> Ints:
    """(n,) how many cuts lie at or below each value, 0 where it is missing."""
    return np.where(np.isnan(values), 0, np.searchsorted(cuts, values, side="right"))


def _grow(
    bins: Mapping[str, Ints], cuts: Mapping[str, Floats], losses: Floats, expected: Floats
) -> tuple[Tree, NDArray[np.intp]]:
    """A tree, and (n,) the leaf of each row. Levels are chosen one by one, each the best after those before it."""
    prior = PRIOR_ROWS * losses.mean(axis=1)
    leaves = np.zeros(losses.shape[1], np.intp)
    levels = []
    for depth in range(LEVELS):
        gains = {
            name: _gains(own, len(cuts[name]), leaves, 1 << depth, losses, expected, prior)
            for name, own in bins.items()
        }
        best = max(gains, key=lambda name: float(gains[name].max()))
        place = int(gains[best].argmax())
        levels.append((best, float(cuts[best][place])))
        leaves = 2 * leaves + (bins[best] > place)
    width = 1 << LEVELS
    real = np.array([np.bincount(leaves, own, width) for own in losses])
    told = np.array([np.bincount(leaves, own, width) for own in expected])
    values = RATE * (real - told) / (told + prior[:, None])
    return Tree(tuple(levels), values), leaves


def _gains(
    bins: Ints, cuts: int, leaves: NDArray[np.intp], width: int, losses: Floats, expected: Floats, prior: Floats
) -> Floats:
    """(cuts,) how much better all outputs fit, in the second order, when each leaf is parted at a cut."""
    cells = leaves * (cuts + 1) + bins
    gains = np.zeros(cuts)
    for real, told, own in zip(losses, expected, prior, strict=True):
        slopes = np.bincount(cells, real - told, width * (cuts + 1)).reshape(width, -1).cumsum(axis=1)
        weights = np.bincount(cells, told, width * (cuts + 1)).reshape(width, -1).cumsum(axis=1)
        right, heavy = slopes[:, -1:] - slopes[:, :-1], weights[:, -1:] - weights[:, :-1]
        parted = slopes[:, :-1] ** 2 / (weights[:, :-1] + own) + right**2 / (heavy + own)
        # Losses of other units: each output counts by its own size.
        gains += parted.sum(axis=0) / own
    return gains

"""Which rows' probabilities can be counted together, and in which bins of the log-odds."""

from dataclasses import dataclass

import numpy as np

from app.decoding.columns import Floats, Ints
from app.statistics.classes import ClassProbabilities
from app.statistics.scores import LIMIT, STEPS, score_bins

# Bins of two classes: 1/8 of the log-odds each. With more classes each has a table of its own, of bins 4 times wider.
BINARY_STEPS = 8
MANY_STEPS = 2
# Rows that name more classes are counted by the probability of the predicted one alone.
MOST_CLASSES = 10
# What stands for the classes of such rows.
TOP: tuple[str, ...] = ("(predicted)",)
Classes = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """How rows that name the `classes` (sorted) are counted: a table for each of `tables`, with bins of 1 / `steps`.

    Of two classes the last one has a table, since the other one's is its mirror image.
    """

    classes: Classes
    tables: Classes
    steps: int

    @property
    def bins(self) -> int:
        return 2 * LIMIT * self.steps

    @property
    def binary(self) -> bool:
        return len(self.classes) == 2

    @property
    def top(self) -> bool:
        """Whether only the probability of the predicted class is counted."""
        return self.classes == TOP

    def centers(self) -> Floats:
        """(bins,) the log-odds in the middle of each bin."""
        centers: Floats = (np.arange(self.bins) + 0.5) / self.steps - LIMIT
        return centers


def layout_of(classes: Classes) -> Layout:
    if classes == TOP or len(classes) > MOST_CLASSES or len(classes) < 2:
        return Layout(TOP, TOP, BINARY_STEPS)
    if len(classes) == 2:
        return Layout(classes, classes[1:], BINARY_STEPS)
    return Layout(classes, classes, MANY_STEPS)


def layouts(given: ClassProbabilities) -> tuple[list[Layout], Ints]:
    """The layouts of the rows, and (n,) which one is each row's, -1 for a row without probabilities.

    It depends on the classes that the row itself names, not on those of other rows in the chunk.
    """
    if given.mask is None:
        return [layout_of(given.classes)], np.zeros(len(given.matrix), np.int64)
    masks, codes = np.unique(given.mask, axis=0, return_inverse=True)
    found: dict[Layout, int] = {}
    places = []
    for mask in masks.tolist():
        named = tuple(name for name, told in zip(given.classes, mask, strict=True) if told)
        places.append(found.setdefault(layout_of(named), len(found)) if named else -1)
    return list(found), np.array(places, np.int64)[codes.ravel()]


def coarse_bins(probabilities: Floats, steps: int) -> Ints:
    """(n,) the bin of each probability where bins are 1 / `steps` of the log-odds wide."""
    bins: Ints = score_bins(probabilities) // (STEPS // steps)
    return bins

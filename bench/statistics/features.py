"""How values of simulated features are distributed, over all rows and over the bins of a baseline."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import ndtr

from app.decoding.columns import Floats, Ints
from app.drift.baseline import Baseline
from app.drift.references import CategoryReference, NumberReference
from bench.statistics.setup import USUAL

CATEGORIES = tuple(f"c{number}" for number in range(USUAL.categories))
_SHARES = np.exp(-0.4 * np.arange(USUAL.categories))
_SHARES /= _SHARES.sum()
_PLACES = np.arange(USUAL.categories, dtype=np.float64)
_SCORES = (_PLACES - _SHARES @ _PLACES) / np.sqrt(_SHARES @ (_PLACES - _SHARES @ _PLACES) ** 2)


def feature_names(count: int) -> list[str]:
    """In sorted order, as a baseline has them."""
    return [f"x{place:03d}" for place in range(count)]


def is_category(place: int) -> bool:
    return place % USUAL.every_category == USUAL.every_category - 1


def category_shares(shift: Floats) -> Floats:
    """(..., categories) for shifts (...): tilted by a score of variance 1, so a shift means as much as a number's."""
    tilted = _SHARES * np.exp(shift[..., None] * _SCORES)
    shares: Floats = tilted / tilted.sum(axis=-1, keepdims=True)
    return shares


def hidden(rng: np.random.Generator, rows: int, features: int, relation: float) -> Floats:
    """(rows, features) standard normal, independent but for the first two, whose correlation is `relation`."""
    values: Floats = rng.normal(size=(rows, features))
    if features > 1:
        values[:, 1] = relation * values[:, 0] + np.sqrt(1 - relation**2) * values[:, 1]
    return values


def raw_values(rng: np.random.Generator, place: int, values: Floats, shift: Floats, missing: Floats) -> list[Any]:
    """Raw values of a feature, one for each row; `values`: as `hidden` gave them; all are (n,)."""
    absent = (rng.random(len(shift)) < missing).tolist()
    if is_category(place):
        cumulated = np.cumsum(category_shares(shift), axis=1)
        codes = np.minimum((ndtr(values)[:, None] >= cumulated).sum(axis=1), USUAL.categories - 1)
        found: Sequence[Any] = [CATEGORIES[code] for code in codes.tolist()]
    else:
        found = (values + shift).tolist()
    return [None if gone else value for value, gone in zip(found, absent, strict=True)]


class BinnedFeatures:
    """The features' probabilities in the bins of a baseline, padded to (F, W). `flat`: places of the used ones."""

    def __init__(self, baseline: Baseline) -> None:
        binning = baseline.binning
        slices = binning.slices()
        references = [baseline.features[name] for name in binning.names]
        self.names = tuple(binning.names)
        self.width = max(own.stop - own.start for own in slices.values())
        self.total = binning.width
        used = [np.arange(own.stop - own.start) + row * self.width for row, own in enumerate(slices.values())]
        self.flat: Ints = np.concatenate(used)
        self._numbers = [row for row, one in enumerate(references) if isinstance(one, NumberReference)]
        cuts = [one.cuts for one in references if isinstance(one, NumberReference)]
        self._cuts = np.array([own + [np.inf] * (self.width - len(own)) for own in cuts]).reshape(-1, self.width)
        self._texts = [(row, _bins(one)) for row, one in enumerate(references) if isinstance(one, CategoryReference)]

    def probabilities(self, shift: Floats) -> Floats:
        """(S, F, W) of a present value, for shifts (S, F)."""
        found = np.zeros((*shift.shape, self.width))
        if self._numbers:
            below = ndtr(self._cuts - shift[:, self._numbers, None])
            found[:, self._numbers] = np.diff(below, axis=-1, prepend=0.0)
        for row, bins in self._texts:
            for place, share in zip(bins.tolist(), category_shares(shift[:, row]).T, strict=True):
                found[:, row, place] += share
        return found


def _bins(reference: CategoryReference) -> Ints:
    places = reference.bin_of()
    return np.array([places.get(name, reference.unseen_bin) for name in CATEGORIES], np.int64)

"""One column of a baseline that is no feature: predictions, scores or labels."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from app.decoding.columns import Floats, Ints
from app.drift.comparison import Comparison, Drift, scale_of
from app.drift.references import CategoryReference, NumberBins, NumberReference, Reference

_NAME = ""


class OutputBins:
    """The bins of one number a row."""

    __slots__ = ("_bins", "width")

    def __init__(self, reference: NumberReference) -> None:
        self._bins = NumberBins([reference])
        self.width = self._bins.width

    def bins(self, values: Floats) -> Ints:
        """(n,) -> (n,)"""
        own: Ints = self._bins.bins(values[None, :])[0]
        return own


class Distribution:
    """`reference`: None where the baseline knows nothing of the column. Rows without a value are left out."""

    def __init__(self, reference: Reference | None) -> None:
        self._reference = reference if isinstance(reference, NumberReference | CategoryReference) else None

    @cached_property
    def bins(self) -> OutputBins | None:
        """Those of numbers."""
        return OutputBins(self._reference) if isinstance(self._reference, NumberReference) else None

    def of_classes(self, counts: Mapping[str, float]) -> Drift:
        """The distances of the rows of each class; empty without any, or when the reference has no classes."""
        if not isinstance(self._reference, CategoryReference):
            return {}
        bins, unseen = self._reference.bin_of(), self._reference.unseen_bin
        places = np.array([bins.get(name, unseen) for name in counts], np.int64)
        binned = np.bincount(places, np.array(list(counts.values()), np.float64), len(self._reference.reference()))
        return self._drift(binned)

    def of_numbers(self, counts: Ints) -> Drift:
        """The distances of `counts` (width,) in `bins`; empty without any, or when the reference has no numbers."""
        return self._drift(counts) if isinstance(self._reference, NumberReference) else {}

    def _drift(self, counts: Ints | Floats) -> Drift:
        return self._comparison.drift(counts).get(_NAME, {})

    @cached_property
    def _comparison(self) -> Comparison:
        assert self._reference is not None
        return Comparison({_NAME: self._reference.reference()}, {_NAME: scale_of(self._reference)})

"""Chunks of features -> bins of a baseline, all features in few passes."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from app.decoding.columns import FeatureColumn, Floats, Ints, Kind
from app.drift.comparison import Comparison, Drift, scale_of
from app.drift.references import CategoryReference, NumberBins, NumberReference, Reference


class Binning:
    """The bins of all features one after another in one vector of `width`; each feature's last bin is for missing.

    The missing bins stay empty while counting: what a column lacks is known from the rows (`features.py`). A value of
    another kind than the feature's goes to bin `width`, which nobody keeps.
    """

    __slots__ = (
        "_lookups",
        "_number_names",
        "_numbers",
        "comparison",
        "kinds",
        "names",
        "reference",
        "starts",
        "width",
    )

    def __init__(self, features: Mapping[str, Reference]) -> None:
        self.kinds: dict[str, Kind] = {name: reference.kind for name, reference in features.items()}
        binned = {n: r for n, r in features.items() if isinstance(r, NumberReference | CategoryReference)}
        counts = {name: [*reference.reference(), reference.missing] for name, reference in binned.items()}
        offsets = np.cumsum([0, *map(len, counts.values())])
        self.names = list(binned)
        self.starts: dict[str, int] = dict(zip(binned, offsets.tolist(), strict=False))
        self.width = int(offsets[-1])
        self.reference: Ints = np.array([count for own in counts.values() for count in own], np.int64)
        self.comparison = Comparison(counts, {name: scale_of(reference) for name, reference in binned.items()})
        numbers = {name: r for name, r in binned.items() if isinstance(r, NumberReference)}
        self._number_names = list(numbers)
        self._numbers = NumberBins(list(numbers.values()))
        self._lookups = {
            name: _Lookup(reference, self.starts[name], self.width)
            for name, reference in binned.items()
            if isinstance(reference, CategoryReference)
        }

    def bins(self, columns: Mapping[str, FeatureColumn], size: int) -> Ints:
        """(k, size) the bin of each row for those k features that are among the columns."""
        names = [name for name in self._number_names if name in columns]
        found = [self._number_bins(names, columns, size)] if names else []
        for name, lookup in self._lookups.items():
            if name in columns:
                found.append(self._fitting(name, columns[name], lookup.bins(columns[name], size))[None, :])
        return np.concatenate(found) if found else np.zeros((0, size), np.int64)

    def _number_bins(self, names: list[str], columns: Mapping[str, FeatureColumn], size: int) -> Ints:
        matrix: Floats = np.array([columns[name].numbers for name in names])
        if len(names) == len(self._number_names):
            bins = self._numbers.bins(matrix)
        else:
            bins = self._numbers.only([self._number_names.index(name) for name in names]).bins(matrix)
        bins += np.array([self.starts[name] for name in names], np.int64)[:, None]
        for own, name in zip(bins, names, strict=True):
            self._fitting(name, columns[name], own)
        return bins

    def _fitting(self, name: str, column: FeatureColumn, bins: Ints) -> Ints:
        """The bins of values of the feature's own kind; the others' become `width`, in place."""
        if isinstance(column.kinds, Kind):
            if column.kinds is not self.kinds[name]:
                bins[:] = self.width
        else:
            bins[column.kinds != self.kinds[name]] = self.width
        return bins

    def slices(self) -> dict[str, slice]:
        """Feature -> where its bins lie."""
        starts = [*self.starts.values(), self.width]
        return {name: slice(starts[i], starts[i + 1]) for i, name in enumerate(self.names)}

    def drift(self, counts: Ints, missing: Mapping[str, int]) -> dict[str, Drift]:
        """The distances per feature, of `counts` (width,) and the missing rows; without those that have no data."""
        whole = counts.copy()
        for name, own in self.slices().items():
            whole[own.stop - 1] = missing[name]
        return self.comparison.drift(whole)

    def out_of_range(self, counts: Ints) -> dict[str, int]:
        """Number feature -> rows below its minimum or above its maximum."""
        own = self.slices()
        return {
            name: int(counts[own[name].start] + counts[own[name].stop - 2])
            for name in self._number_names
            if self.kinds[name] is Kind.NUMBER
        }

    def unseen(self, counts: Ints) -> dict[str, int]:
        """Category feature whose categories are all known -> rows with another one."""
        own = self.slices()
        return {name: int(counts[own[name].stop - 2]) for name, lookup in self._lookups.items() if lookup.closed}


class _Lookup(dict[Any, int]):
    """Category -> its bin; what is not known is unseen, what is no text belongs nowhere."""

    def __init__(self, reference: CategoryReference, start: int, nowhere: int) -> None:
        super().__init__({name: start + place for name, place in reference.bin_of().items()})
        self.closed = reference.known is not None
        self._unseen = start + reference.unseen_bin
        self[None] = self._nowhere = nowhere

    def __missing__(self, value: Any) -> int:
        return self._unseen

    def bins(self, column: FeatureColumn, size: int) -> Ints:
        """(size,)"""
        if column.values is None:
            return np.full(size, self._nowhere, np.int64)
        if isinstance(column.kinds, Kind) or not (column.kinds == Kind.VECTOR).any():
            values = column.values if column.kinds is not Kind.VECTOR else [None] * size
        else:
            values = [value if type(value) is str else None for value in column.values]
        return np.fromiter(map(self.__getitem__, values), np.int64, size)

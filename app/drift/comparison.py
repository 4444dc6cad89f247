"""Counts against a reference: all distances of all features in few passes, and which of them count as drifted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.columns import Floats, Ints, Kind
from app.drift.distances import hellinger, jensen_shannon, kolmogorov_smirnov, total_variation, wasserstein
from app.drift.psi import bias_free
from app.drift.references import CategoryReference, NumberReference
from app.drift.resemblance import chi_square, equality, freedom, merged, resemblance

Drift = dict[str, float | bool]

# A change matters when bins' shares are off by more than a fifth, as a root mean square; it is as large where a feature
# moves by a fifth of its standard deviation.
TOLERANCE = 0.2
# Where no feature has changed by more than that, a window has any drifted one with at most this chance.
SIGNIFICANCE = 0.05


@dataclass(frozen=True, slots=True)
class Scale:
    """Where the bins of a number lie: `locations` (b,), and the reference's standard deviation, None if unknown."""

    locations: Sequence[float]
    deviation: float | None


def scale_of(reference: NumberReference | CategoryReference) -> Scale | None:
    """None for what has no order."""
    if not isinstance(reference, NumberReference) or reference.kind is not Kind.NUMBER:
        return None
    summary = reference.summary
    return Scale(reference.locations(), None if summary is None or not summary.deviation else summary.deviation)


class Comparison:
    """k distributions of reference rows, each over bins of its own.

    `counts`: name -> its bins' rows. `scales`: of those that are numbers; bins behind the last location (for missing
    rows) are left out of what needs an order.
    """

    __slots__ = ("_numeric", "_ordered", "_scales", "_starts", "names", "reference")

    def __init__(self, counts: Mapping[str, Sequence[int] | Ints], scales: Mapping[str, Scale | None]) -> None:
        self.names = list(counts)
        lengths = [len(own) for own in counts.values()]
        width = max(lengths, default=0)
        self._starts: Ints = np.cumsum([0, *lengths])
        self.reference: Ints = np.zeros((len(counts), width), np.int64)
        for row, own in zip(self.reference, counts.values(), strict=True):
            row[: len(own)] = own
        found = {place: scale for place, name in enumerate(self.names) if (scale := scales.get(name)) is not None}
        self._numeric: Ints = np.array(list(found), np.int64)
        self._scales = list(found.values())
        self._ordered: NDArray[np.bool_] = np.zeros((len(found), width), np.bool_)
        for row, scale in zip(self._ordered, found.values(), strict=True):
            row[: len(scale.locations)] = True

    def drift(self, counts: Ints | Floats) -> dict[str, Drift]:
        """Name -> its distances, without those that have no rows. `counts`: (b,) of all bins one after another."""
        matrix = self._matrix(counts)
        told = np.flatnonzero((matrix.sum(axis=1) > 0) & (self.reference.sum(axis=1) > 0))
        psi = bias_free(counts, self._matrix_as_flat(), self._starts[:-1])
        found = self._of_bins(matrix[told], self.reference[told])
        named = {
            self.names[place]: {"psi": psi[place], **{name: column[row] for name, column in found.items()}}
            for row, place in enumerate(told.tolist())
        }
        for name, own in self._of_numbers(matrix).items():
            named[name] |= own
        return {name: {test: value.item() for test, value in own.items()} for name, own in named.items()}

    def _of_bins(self, counts: Floats, reference: Ints) -> dict[str, Floats | NDArray[np.bool_]]:
        """Test -> (k,). All rows have something on both sides."""
        p, q = _shares(counts), _shares(reference)
        pooled, pooled_reference = merged(counts, reference)
        statistic, free = chi_square(pooled, pooled_reference), freedom(pooled, pooled_reference)
        beyond = resemblance(statistic, free, counts.sum(axis=1), reference.sum(axis=1), TOLERANCE)
        return {
            "js": jensen_shannon(p, q),
            "hellinger": hellinger(p, q),
            "total_variation": total_variation(p, q),
            "chi_square": statistic,
            "p_value": equality(statistic, free),
            "tolerance_p_value": beyond,
            "drifted": beyond * max(len(self.names), 1) < SIGNIFICANCE,
        }

    def _of_numbers(self, matrix: Floats) -> dict[str, dict[str, Floats]]:
        """What needs an order, of the rows that have a value."""
        counts, reference = matrix[self._numeric] * self._ordered, self.reference[self._numeric] * self._ordered
        told = np.flatnonzero((counts.sum(axis=1) > 0) & (reference.sum(axis=1) > 0)).tolist()
        if not told:
            return {}
        p, q = _shares(counts[told]), _shares(reference[told])
        moved = wasserstein(p, q, self._locations(told))
        found = {}
        for row, (place, ks) in enumerate(zip(told, kolmogorov_smirnov(p, q), strict=True)):
            own = {"ks": ks, "wasserstein": moved[row]}
            if (deviation := self._scales[place].deviation) is not None:
                own["wasserstein_normalised"] = moved[row] / deviation
            found[self.names[self._numeric[place]]] = own
        return found

    def _locations(self, places: Sequence[int]) -> Floats:
        found = np.zeros((len(places), self.reference.shape[1]))
        for row, place in zip(found, places, strict=True):
            locations = self._scales[place].locations
            row[: len(locations)], row[len(locations) :] = locations, locations[-1]
        return found

    def _matrix(self, counts: Ints | Floats) -> Floats:
        found = np.zeros(self.reference.shape)
        found[self._filled()] = counts
        return found

    def _matrix_as_flat(self) -> Ints:
        flat: Ints = self.reference[self._filled()]
        return flat

    def _filled(self) -> NDArray[np.bool_]:
        filled: NDArray[np.bool_] = np.arange(self.reference.shape[1]) < np.diff(self._starts)[:, None]
        return filled


def _shares(counts: Ints | Floats) -> Floats:
    shares: Floats = counts / counts.sum(axis=1, keepdims=True)
    return shares

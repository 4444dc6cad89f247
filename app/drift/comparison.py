"""Counts against a reference: all distances of all features in few passes, and which of them count as drifted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import Floats, Ints, Kind
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

    __slots__ = (
        "_deviations",
        "_filled",
        "_flat",
        "_locations",
        "_numeric",
        "_ordered",
        "_starts",
        "names",
        "reference",
    )

    def __init__(self, counts: Mapping[str, Sequence[int] | Ints], scales: Mapping[str, Scale | None]) -> None:
        self.names = list(counts)
        lengths = np.array([len(own) for own in counts.values()], np.int64)
        self._starts: Ints = np.cumsum(lengths) - lengths
        width = int(lengths.max(initial=0))
        self._filled: NDArray[np.bool_] = np.arange(width) < lengths[:, None]
        self._flat: Ints = np.concatenate([np.zeros(0, np.int64), *counts.values()]).astype(np.int64)
        self.reference: Ints = np.zeros((len(counts), width), np.int64)
        self.reference[self._filled] = self._flat
        found = {place: scale for place, name in enumerate(self.names) if (scale := scales.get(name)) is not None}
        self._numeric: Ints = np.array(list(found), np.int64)
        self._deviations = [scale.deviation for scale in found.values()]
        self._ordered: NDArray[np.bool_] = np.zeros((len(found), width), np.bool_)
        self._locations: Floats = np.zeros((len(found), width))
        for ordered, row, scale in zip(self._ordered, self._locations, found.values(), strict=True):
            ordered[: len(scale.locations)] = True
            row[:] = scale.locations[-1]
            row[: len(scale.locations)] = scale.locations

    def drift(self, counts: Ints | Floats) -> dict[str, Drift]:
        """Name -> its distances, without those that have no rows. `counts`: (b,) of all bins one after another."""
        matrix = np.zeros(self.reference.shape)
        matrix[self._filled] = counts
        told = np.flatnonzero((matrix.sum(axis=1) > 0) & (self.reference.sum(axis=1) > 0))
        psi = bias_free(counts, self._flat, self._starts)[told]
        columns = {"psi": psi, **self._of_bins(matrix[told], self.reference[told])}
        names = [self.names[place] for place in told.tolist()]
        values = zip(*(column.tolist() for column in columns.values()), strict=True)
        found: dict[str, Drift] = {
            name: dict(zip(columns, own, strict=True)) for name, own in zip(names, values, strict=True)
        }
        for name, own in self._of_numbers(matrix).items():
            found[name] |= own
        return found

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

    def _of_numbers(self, matrix: Floats) -> dict[str, dict[str, float]]:
        """What needs an order, of the rows that have a value."""
        counts, reference = matrix[self._numeric] * self._ordered, self.reference[self._numeric] * self._ordered
        told = np.flatnonzero((counts.sum(axis=1) > 0) & (reference.sum(axis=1) > 0))
        p, q = _shares(counts[told]), _shares(reference[told])
        ks, moved = kolmogorov_smirnov(p, q).tolist(), wasserstein(p, q, self._locations[told]).tolist()
        found = {}
        for place, own_ks, own_moved in zip(told.tolist(), ks, moved, strict=True):
            own = {"ks": own_ks, "wasserstein": own_moved}
            if (deviation := self._deviations[place]) is not None:
                own["wasserstein_normalised"] = own_moved / deviation
            found[self.names[self._numeric[place]]] = own
        return found


def _shares(counts: Ints | Floats) -> Floats:
    shares: Floats = counts / counts.sum(axis=1, keepdims=True)
    return shares

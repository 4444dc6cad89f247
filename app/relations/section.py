"""What a baseline says of the relations between its number features, and a sample of rows to tell others apart from."""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from app.decoding.columns import Floats, Ints
from app.drift.comparison import Comparison, scale_of
from app.drift.references import NumberBins, NumberReference, Reference, fit_reference, reference_from_record
from app.relations.components import Components, fit_components, held_out_errors, usable

Bytes = NDArray[np.uint8]

# Rows of the reference that a classifier is trained and tested on.
SAMPLE_ROWS = 1000
# The bin of a value that is missing.
MISSING = 255
# Errors that differ by less than a thousandth of a deviation are the same: where features follow from each other
# exactly, what is left is rounding.
_DECIMALS = 3


@dataclass(frozen=True)
class Relations:
    """`names`: F sorted number features, with their `components` and, of the rows' reconstruction errors, the bins
    (`errors`), mean and deviation.

    `sample`: for each row of the sample one byte a feature: the bin of its value, 255 where it is missing. Empty when
    the settings ask for none.
    """

    names: tuple[str, ...]
    components: Components
    errors: NumberReference
    error_mean: float
    error_deviation: float
    sample: bytes = b""

    @cached_property
    def rows(self) -> Bytes:
        """(m, F) the sample."""
        return np.frombuffer(self.sample, np.uint8).reshape(-1, len(self.names))

    @cached_property
    def _error_bins(self) -> NumberBins:
        return NumberBins([self.errors])

    @cached_property
    def comparison(self) -> Comparison:
        """Of the errors' bins."""
        return Comparison({"errors": self.errors.reference()}, {"errors": scale_of(self.errors)})

    @property
    def error_width(self) -> int:
        """How many bins there are."""
        return self._error_bins.width

    def error_bins(self, errors: Floats) -> Ints:
        """(n,) the bin of each error."""
        bins: Ints = self._error_bins.bins(np.round(errors, _DECIMALS)[None, :])[0]
        return bins

    def record(self) -> dict[str, Any]:
        return {
            "names": list(self.names),
            "components": self.components.record(),
            "errors": self.errors.record(),
            "error_mean": self.error_mean,
            "error_deviation": self.error_deviation,
            "sample": b64encode(self.sample).decode(),
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Relations":
        """Raises ValueError or KeyError for what is no such record."""
        names, sample = tuple(map(str, record["names"])), b64decode(record["sample"])
        components, errors = Components.from_record(record["components"]), reference_from_record(record["errors"])
        if len(names) != len(components.mean) or len(sample) % len(names) or not isinstance(errors, NumberReference):
            raise ValueError("relations need components and a sample of their features, and errors that are numbers")
        return cls(names, components, errors, float(record["error_mean"]), float(record["error_deviation"]), sample)


class Cells:
    """The bins of the related features: what a sample keeps of a row, and the scores that a classifier makes of it."""

    __slots__ = ("_bins", "_scores")

    def __init__(self, references: Sequence[NumberReference]) -> None:
        self._bins = NumberBins(references)
        self._scores: Floats = np.zeros((len(references), MISSING + 1))
        for own, reference in zip(self._scores, references, strict=True):
            counts = np.array(reference.reference(), np.float64)
            whole = max(counts.sum(), 1.0)
            middle = (np.cumsum(counts) - counts / 2) / whole
            own[: len(counts)] = ndtri(np.clip(middle, 0.5 / whole, 1 - 0.5 / whole))

    def bins(self, matrix: Floats) -> Bytes:
        """(n, F) of the numbers `matrix` (F, n), NaN where missing."""
        bins: Bytes = np.where(np.isnan(matrix), MISSING, self._bins.bins(matrix)).astype(np.uint8).T
        return bins

    def scores(self, bins: Bytes) -> Floats:
        """(n, F) the normal score of the middle of each bin by its rank in the reference; 0 for what is missing.

        So margins are normal in the reference, whatever they were, and an outlier weighs no more than the largest.
        """
        scores: Floats = self._scores[np.arange(bins.shape[1]), bins]
        return scores


def fit_relations(
    references: Mapping[str, Reference],
    features: Mapping[str, Sequence[Any]],
    sample_rows: int,
    whole: NDArray[np.bool_] | None = None,
) -> Relations | None:
    """The relations between those of the `features` (raw values by row) whose reference is of numbers.

    At most 64 and one for seven rows, in the order of their names. None where fewer than two vary.
    `whole`: (n,) the rows to fit from, None for all.
    """
    numbers = {name: own for name, own in sorted(references.items()) if isinstance(own, NumberReference)}
    if not numbers:
        return None
    matrix = np.array([_column(features[name]) for name in numbers])
    if whole is not None:
        matrix = matrix[:, whole]
    chosen = usable(matrix)
    matrix, names = matrix[chosen], [list(numbers)[place] for place in chosen]
    if not names:
        return None
    told = ~np.isnan(matrix).all(axis=0)
    components = fit_components(matrix[:, told])
    if components is None:
        return None
    errors = np.round(held_out_errors(matrix[:, told], components.kept), _DECIMALS)
    reference = fit_reference(errors.tolist())
    if not isinstance(reference, NumberReference):
        return None
    return Relations(
        tuple(names),
        components,
        reference,
        round(float(errors.mean()), 6),
        round(float(errors.std()), 6),
        _sample(Cells([numbers[name] for name in names]), matrix[:, told], sample_rows),
    )


def _sample(cells: Cells, matrix: Floats, rows: int) -> bytes:
    """Rows spread evenly over all of them."""
    places = np.unique(np.linspace(0, matrix.shape[1] - 1, min(rows, matrix.shape[1])).astype(np.int64))
    return cells.bins(matrix[:, places]).tobytes() if rows else b""


def _column(values: Sequence[Any]) -> Floats:
    """(n,) NaN for what is no number and no boolean."""
    column = np.array([float(v) if isinstance(v, float | int) else np.nan for v in values])
    return np.where(np.isfinite(column), column, np.nan)

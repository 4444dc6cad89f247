"""Principal components of the number features, and how far a row is from the relations that they say."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import Floats

# Components are kept until they explain this share of the variance (NannyML's default as well).
EXPLAINED = 0.65
MOST_FEATURES = 64
# Standardised values and components count in steps of this size, up to `FARTHEST` deviations: so each sum of products
# is a whole number below 2^53, and the same whatever the order in which a processor adds it up. A sum of floats would
# differ with the size of the chunk and from machine to machine, and a replay could then decide otherwise.
STEP = 2.0**-20
FARTHEST = 64.0
# A component's entries are published with as many decimals as the step can hold.
DECIMALS = 6
# A deviation that is further from 1 than this can't be divided by.
SMALLEST = 1e-150
# Rows that components are fitted from: few more than features say nothing about relations.
ROWS_A_FEATURE = 5


@dataclass(frozen=True)
class Components:
    """The relations between F features, of the rows' standardised values z = (x - mean) / deviation.

    `mean`, `deviation`: (F,). `kept`: how many principal components are kept, `explained`: their share of the variance.
    `minor`: (F - kept, F) those that are not: the reconstruction error |z - z'| of a row, with z' its projection on the
    kept ones, is the length of its projection on these.
    """

    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    kept: int
    explained: float
    minor: tuple[tuple[float, ...], ...]

    @cached_property
    def _scale(self) -> tuple[Floats, Floats, Floats]:
        mean, deviation = np.array(self.mean)[:, None], np.array(self.deviation)[:, None]
        return mean, 1 / (deviation * STEP), np.rint(np.array(self.minor) / STEP)

    def errors(self, matrix: Floats, missing: NDArray[np.bool_] | None = None) -> Floats:
        """(n,) the reconstruction error of each row, in deviations. `matrix`: (F, n), NaN where a value is missing.

        What is missing counts as the mean. `missing`: where it is, if that is known already.
        """
        mean, scale, minor = self._scale
        with np.errstate(over="ignore"):
            units = matrix - mean
            units *= scale
        np.clip(units, -FARTHEST / STEP, FARTHEST / STEP, out=units)
        np.rint(units, out=units)
        missing = np.isnan(matrix) if missing is None else missing
        if missing.any():
            units[missing] = 0.0
        projected = minor @ units
        squares = projected[0] * projected[0]
        for row in projected[1:]:
            squares += row * row
        errors: Floats = np.sqrt(squares) * STEP**2
        return errors

    def record(self) -> dict[str, Any]:
        return {
            "mean": list(self.mean),
            "deviation": list(self.deviation),
            "kept": self.kept,
            "explained": self.explained,
            "minor": [list(row) for row in self.minor],
        }

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "Components":
        """Raises ValueError or KeyError for what is no such record."""
        mean, deviation = _numbers(record["mean"]), _numbers(record["deviation"])
        minor = tuple(map(_numbers, record["minor"]))
        if not minor or {len(deviation), *map(len, minor)} != {len(mean)} or min(deviation) <= SMALLEST:
            raise ValueError("components need a mean and a deviation above 0 for each feature, and one entry for each")
        if len(mean) > MOST_FEATURES or max(abs(entry) for row in minor for entry in row) > 1:
            raise ValueError(f"components are of at most {MOST_FEATURES} features, with entries between -1 and 1")
        return cls(mean, deviation, int(record["kept"]), float(record["explained"]), minor)


def usable(matrix: Floats) -> list[int]:
    """The first features of `matrix` (F, n) that vary: at most 64, and one for seven rows, so that folds have five."""
    varying = [place for place, row in enumerate(matrix) if _varies(row[~np.isnan(row)])]
    return varying[: min(MOST_FEATURES, matrix.shape[1] // (ROWS_A_FEATURE + 2))]


def _varies(values: Floats) -> bool:
    with np.errstate(over="ignore"):
        return len(values) > 1 and SMALLEST < values.std() < 1 / SMALLEST and abs(values.mean()) < 1 / SMALLEST


def fit_components(matrix: Floats, kept: int | None = None) -> Components | None:
    """Principal components of the rows of `matrix` (F, n), NaN where missing; each feature must vary.

    `kept`: how many are kept, None for as many as explain 65 % of the variance, but not all. None with fewer than two
    features or five rows for each. As scikit-learn's PCA after its StandardScaler (Pearson, 1901, Philosophical
    Magazine 2; Hotelling, 1933, J. Educational Psychology 24).
    """
    features, rows = matrix.shape
    if features < 2 or rows < ROWS_A_FEATURE * features:
        return None
    mean, deviation = np.nanmean(matrix, axis=1), np.nanstd(matrix, axis=1)
    if not (deviation > SMALLEST).all():
        return None
    standard = np.nan_to_num(np.clip((matrix - mean[:, None]) / deviation[:, None], -FARTHEST, FARTHEST))
    variances, vectors = np.linalg.eigh(np.cov(standard))
    shares = np.cumsum(variances[::-1]) / variances.sum()
    if kept is None:
        kept = min(int(np.searchsorted(shares, EXPLAINED)) + 1, features - 1)
    minor = np.round(np.clip(vectors[:, : features - kept].T, -1, 1), DECIMALS)
    return Components(
        _numbers(mean.tolist()), _numbers(deviation.tolist()), kept, round(float(shares[kept - 1]), 6), _rows(minor)
    )


def held_out_errors(matrix: Floats, kept: int, folds: int = 5) -> Floats:
    """(n,) the error of each row of `matrix` (F, n), by the components of the other folds of the rows.

    On the rows that components were fitted from errors are smaller than on any that come later. A fold in which a
    feature does not vary gives none.
    """
    places = np.arange(matrix.shape[1]) % folds
    found = []
    for fold in range(folds):
        components = fit_components(matrix[:, places != fold], kept)
        if components is not None:
            found.append(components.errors(matrix[:, places == fold]))
    return np.concatenate(found) if found else np.zeros(0)


def _numbers(values: Sequence[Any]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _rows(matrix: Floats) -> tuple[tuple[float, ...], ...]:
    # Adding 0 makes a rounded -0.0 an ordinary one.
    return tuple(_numbers(row) for row in (matrix + 0.0).tolist())

"""What a baseline knows of a numeric feature beside its bins: quantiles, spread, and where in each bin its rows lie."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from app.decoding.columns import Floats, Ints

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
# A place within a bin to a thousandth of its width, other figures to six digits: a record holds a thousand features.
_PLACES = 3
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class NumberSummary:
    """`quantiles`: at `QUANTILES`. `deviation`: the standard one. `centres`: the mean of each bin's rows, as a share of
    the way from its lower to its upper edge."""

    quantiles: tuple[float, ...]
    deviation: float
    centres: tuple[float, ...]

    @classmethod
    def fit(cls, values: Floats, edges: Floats, counts: Ints) -> Self:
        """`values`: (n,) sorted. `counts`: (b,) of the bins between the b - 1 `edges`."""
        bounds = np.concatenate([values[:1], edges, values[-1:]])
        # Sums from the bin's own lower edge: those of large numbers with little between them would cancel out.
        lower = np.repeat(bounds[:-1], counts)
        sums = np.add.reduceat(values - lower, np.cumsum(counts) - counts)
        widths = np.diff(bounds)
        with np.errstate(divide="ignore", invalid="ignore"):
            centres = np.where(widths > 0, sums / counts / widths, 0.5)
        ranks = np.floor(np.array(QUANTILES) * (len(values) - 1) + 0.5).astype(np.int64)
        return cls(
            quantiles=tuple(_rounded(value) for value in values[ranks].tolist()),
            deviation=_rounded(float(_deviation(values))),
            centres=tuple(np.clip(np.round(centres, _PLACES), 0.0, 1.0).tolist()),
        )

    def record(self) -> dict[str, Any]:
        named = {f"p{round(q * 100):02}": value for q, value in zip(QUANTILES, self.quantiles, strict=True)}
        return {"quantiles": named, "deviation": self.deviation, "centres": list(self.centres)}

    @classmethod
    def from_record(cls, record: Mapping[str, Any], bins: int) -> Self:
        """Raises ValueError or KeyError when it is no summary of so many bins."""
        centres = tuple(float(centre) for centre in record["centres"])
        if len(centres) != bins:
            raise ValueError("as many centres as bins are needed")
        quantiles = tuple(float(record["quantiles"][f"p{round(q * 100):02}"]) for q in QUANTILES)
        return cls(quantiles, float(record["deviation"]), centres)


def _deviation(values: Floats) -> float:
    """In parts of the largest value, whose square need not be a number."""
    largest = float(np.abs(values).max())
    return float((values / largest).std()) * largest if largest > 0 else 0.0


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")

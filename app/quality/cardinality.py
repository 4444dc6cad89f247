"""How many different texts each feature of a baseline had, and how many as many other rows may be expected to have."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy.special import gammaln

Spectrum = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Cardinality:
    """`spectra`: text feature -> (times, how many texts came so many times), rising. No text is kept."""

    spectra: Mapping[str, Spectrum]

    @classmethod
    def fit(cls, features: Mapping[str, Sequence[Any]]) -> Self | None:
        """Of raw values; None when no feature is mostly text."""
        spectra = {name: _spectrum(values) for name, values in sorted(features.items())}
        found = {name: spectrum for name, spectrum in spectra.items() if spectrum}
        return cls(found) if found else None

    def expected(self, name: str, rows: int) -> float | None:
        """Different texts in `rows` values: of fewer than the baseline has, the mean over all its samples of that size
        (rarefaction: Hurlbert, Ecology 52, 1971); beyond, each further value is new with at most the probability that
        Turing's estimate gives it (Good, Biometrika 40, 1953). None when the feature had no text."""
        if name not in self.spectra:
            return None
        times, texts = np.array(self.spectra[name], np.float64).T
        known, whole = float(texts.sum()), float(times @ texts)
        if rows >= whole:
            single = float(texts[0]) if times[0] == 1 else 0.0
            return known + (rows - whole) * single / whole
        never = whole - times >= rows
        left = whole - times[never]
        log_share = gammaln(left + 1) - gammaln(left - rows + 1) - gammaln(whole + 1) + gammaln(whole - rows + 1)
        return known - float(texts[never] @ np.exp(log_share))

    def record(self) -> dict[str, Any]:
        return {"texts": {name: [list(pair) for pair in spectrum] for name, spectrum in self.spectra.items()}}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Raises ValueError or KeyError when it is no such record."""
        spectra = {
            name: tuple((int(times), int(texts)) for times, texts in spectrum)
            for name, spectrum in sorted(record["texts"].items())
        }
        if not all(spectrum and min(map(min, spectrum)) > 0 for spectrum in spectra.values()):
            raise ValueError("texts come at least once")
        return cls(spectra)


def _spectrum(values: Sequence[Any]) -> Spectrum:
    """Empty unless most values are text."""
    texts = [value for value in values if isinstance(value, str)]
    if 2 * len(texts) <= sum(value is not None for value in values):
        return ()
    return tuple(sorted(Counter(Counter(texts).values()).items()))

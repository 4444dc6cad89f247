"""Fixed thresholds, as most tools have them, on the same windows: each feature, each segment, each window by itself."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import kolmogorov

from app.decoding.columns import Floats, Ints
from app.drift.baseline import Baseline
from app.drift.references import NumberReference
from bench.statistics.counts import Counts
from bench.statistics.features import BinnedFeatures

PSI, KS_P, SIGMAS = 0.2, 0.05, 3.0
REFERENCE_LABELS = 1000


class Thresholds:
    """Counts alerts of each threshold: windows in a row beyond it are one. `alerts`: by threshold."""

    def __init__(self, baseline: Baseline, features: BinnedFeatures) -> None:
        binning = baseline.binning
        reference = np.zeros(len(features.names) * features.width, np.int64)
        reference[features.flat] = binning.reference
        own = reference.reshape(len(features.names), features.width)
        missing = [slice_.stop - slice_.start - 1 for slice_ in binning.slices().values()]
        own[np.arange(len(missing)), missing] = 0
        self._reference: Ints = own
        self._numbers = [
            row for row, name in enumerate(features.names) if isinstance(baseline.features[name], NumberReference)
        ]
        self._labels: Ints = np.zeros((0, 2), np.int64)
        self._before: dict[str, NDArray[np.bool_]] = {}
        self.alerts: dict[str, int] = {}

    def window(self, counts: Counts) -> None:
        """Takes in one window, all of the traffic and its segments."""
        whole = counts.whole()
        bins = np.concatenate([whole.bins, counts.bins])
        labels = np.concatenate([whole.labels, counts.labels])
        wrong = np.concatenate([whole.wrong, counts.wrong])
        self._tell("PSI > 0.2", psi(bins, self._reference) > PSI)
        self._tell("KS p < 0.05", ks_p(bins[:, self._numbers], self._reference[self._numbers]) < KS_P)
        self._tell("3 sigma on accuracy", self._beyond(labels, wrong))

    def _beyond(self, labels: Ints, wrong: Ints) -> NDArray[np.bool_]:
        """Whether each accuracy is beyond three deviations of that of the first labels."""
        if not len(self._labels):
            self._labels = np.zeros((len(labels), 2), np.int64)
        learning = self._labels[:, 0] < REFERENCE_LABELS
        rate = self._labels[:, 1] / np.maximum(self._labels[:, 0], 1)
        deviation = np.sqrt(rate * (1 - rate) / np.maximum(labels, 1))
        found: NDArray[np.bool_] = np.abs(wrong / np.maximum(labels, 1) - rate) > SIGMAS * deviation
        self._labels[learning] += np.stack([labels, wrong], axis=1)[learning]
        return found & ~learning & (labels > 0)

    def _tell(self, name: str, bad: NDArray[np.bool_]) -> None:
        fresh = bad & ~self._before.get(name, np.zeros_like(bad))
        self._before[name] = bad
        self.alerts[name] = self.alerts.get(name, 0) + int(fresh.sum())


def psi(bins: Ints, reference: Ints) -> Floats:
    """(S, F) the plain index, with half a row in each bin that either has. `bins`: (S, F, W); `reference`: (F, W)."""
    used = (bins > 0) | (reference > 0)
    rows, usual = np.where(used, bins + 0.5, 0.0), np.where(used, reference + 0.5, 0.0)
    p = rows / np.maximum(rows.sum(axis=-1, keepdims=True), 1)
    q = usual / np.maximum(usual.sum(axis=-1, keepdims=True), 1)
    terms = (p - q) * np.log(np.where(used, p, 1.0) / np.where(used, q, 1.0))
    found: Floats = terms.sum(axis=-1)
    return found


def ks_p(bins: Ints, reference: Ints) -> Floats:
    """(S, F) p-values of Kolmogorov and Smirnov over the bins: on raw values they would be smaller still."""
    n, m = bins.sum(axis=-1), reference.sum(axis=-1)
    below = np.cumsum(bins, axis=-1) / np.maximum(n, 1)[..., None]
    usual = np.cumsum(reference, axis=-1) / np.maximum(m, 1)[..., None]
    distance = np.abs(below - usual).max(axis=-1)
    found: Floats = np.where(n > 0, kolmogorov(distance * np.sqrt(n * m / np.maximum(n + m, 1))), 1.0)
    return found

"""river's detectors with their own defaults on the same streams."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from river.drift import ADWIN, PageHinkley
from river.drift.binary import DDM, HDDMA, HDDMW

from app.decoding.columns import Ints
from bench.statistics.counts import Counts

Make = Callable[[], Any]
WINDOWED: dict[str, Make] = {"ADWIN": ADWIN, "PageHinkley": PageHinkley, "HDDM_A": HDDMA, "HDDM_W": HDDMW}
SINGLE: dict[str, Make] = {**WINDOWED, "DDM": DDM}
MOST_OUTCOMES = 20_000


class WindowedDetectors:
    """On the error rate of each window: of all the traffic, and of each segment. `alerts`: by detector."""

    def __init__(self) -> None:
        self._detectors: dict[str, list[Any]] = {}
        self.alerts = dict.fromkeys(WINDOWED, 0)

    def window(self, counts: Counts) -> None:
        labels = np.concatenate([counts.whole().labels, counts.labels])
        wrong = np.concatenate([counts.whole().wrong, counts.wrong])
        rates = (wrong / np.maximum(labels, 1)).tolist()
        for name, make in WINDOWED.items():
            own = self._detectors.setdefault(name, [make() for _ in rates])
            for detector, rate, some in zip(own, rates, labels.tolist(), strict=True):
                if some:
                    self.alerts[name] += alarms(detector, [rate])


class SingleOutcomes:
    """On each labelled prediction of all the traffic, right or wrong: of the first ones, as it is slow."""

    def __init__(self, rng: np.random.Generator, most: int = MOST_OUTCOMES) -> None:
        self._rng = rng
        self._most = most
        self._detectors = {name: make() for name, make in SINGLE.items()}
        self.alerts = dict.fromkeys(SINGLE, 0)
        self.outcomes = 0
        self.windows = 0

    def window(self, counts: Counts) -> None:
        if self.outcomes >= self._most:
            return
        told = outcomes(self._rng, counts.whole().labels[0], counts.whole().wrong[0])
        for name, detector in self._detectors.items():
            self.alerts[name] += alarms(detector, told)
        self.outcomes += len(told)
        self.windows += 1


def outcomes(rng: np.random.Generator, labels: Ints, wrong: Ints) -> list[bool]:
    """One for each label, True where the prediction missed it, in random order."""
    told: list[bool] = rng.permutation(np.arange(int(labels)) < int(wrong)).tolist()
    return told


def alarms(detector: Any, values: Iterable[float]) -> int:
    """How often the detector fires over these values."""
    found = 0
    for value in values:
        detector.update(value)
        found += bool(detector.drift_detected)
    return found

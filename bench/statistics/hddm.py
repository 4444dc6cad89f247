"""HDDM as river has it, on plain floats: river copies objects, at up to 0.2 ms for each value.

That both decide alike, value by value, is held by `tests/bench/test_statistics_bench.py`. Source: Frias-Blanco and
others, IEEE Transactions on Knowledge and Data Engineering 27(3), 2015.
"""

from math import inf, log, sqrt


class _RisenMean:
    """Hoeffding's bound on the mean of all against that of its lowest beginning."""

    __slots__ = ("_apart", "_bound", "_least", "_least_n")

    def __init__(self, confidence: float) -> None:
        self._bound, self._apart = log(1 / confidence) / 2, log(2 / confidence) / 2
        self._least, self._least_n = 0.0, 0

    def update(self, mean: float, n: int) -> bool:
        """Whether the mean of the n values has risen."""
        if not self._least_n or self._least + sqrt(self._bound / self._least_n) >= mean + sqrt(self._bound / n):
            self._least, self._least_n = mean, n
        least_n = self._least_n
        return least_n != n and mean - self._least >= sqrt((n - least_n) / least_n / n * self._apart)


class HoeffdingA:
    """HDDM_A. Values in [0, 1]."""

    def __init__(self, confidence: float, two_sided: bool) -> None:
        self._confidence, self._two_sided = confidence, two_sided
        self._begin()

    def _begin(self) -> None:
        self.drift_detected = False
        self._mean, self._n = 0.0, 0
        self._sides = [_RisenMean(self._confidence) for _ in range(1 + self._two_sided)]

    def update(self, value: float) -> None:
        if self.drift_detected:
            self._begin()
        self._n += 1
        self._mean += (value - self._mean) / self._n
        self.drift_detected = self._sides[0].update(self._mean, self._n)
        if self._two_sided and self._sides[1].update(-self._mean, self._n):
            self.drift_detected = True


class _Faded:
    """An exponentially weighted mean, with its bound's factor."""

    __slots__ = ("begun", "factor", "mean")

    def __init__(self, mean: float = 0.0, factor: float = 1.0, begun: bool = False) -> None:
        self.mean, self.factor, self.begun = mean, factor, begun

    def update(self, value: float, weight: float) -> None:
        self.mean = weight * value + (1 - weight) * self.mean if self.begun else value
        self.factor = weight**2 + (1 - weight) ** 2 * self.factor
        self.begun = True


class _RisenFaded:
    """McDiarmid's bound on the weighted mean since its lowest beginning."""

    __slots__ = ("_after", "_before", "_bound", "_cut")

    def __init__(self, confidence: float) -> None:
        self._bound, self._cut = log(1 / confidence) / 2, inf
        self._before, self._after = _Faded(), _Faded()

    def update(self, value: float, mean: float, factor: float, weight: float) -> bool:
        upper = mean + sqrt(factor * self._bound)
        if upper < self._cut:
            self._cut = upper
            self._before, self._after = _Faded(mean, factor, True), _Faded()
        else:
            self._after.update(value, weight)
        if not self._after.begun:
            return False
        return self._after.mean - self._before.mean > sqrt((self._before.factor + self._after.factor) * self._bound)


class HoeffdingW:
    """HDDM_W. Values in [0, 1]; each new one has `weight`."""

    def __init__(self, confidence: float, two_sided: bool, weight: float = 0.05) -> None:
        self._confidence, self._two_sided, self._weight = confidence, two_sided, weight
        self._begin()

    def _begin(self) -> None:
        self.drift_detected = False
        self._all = _Faded()
        self._sides = [_RisenFaded(self._confidence) for _ in range(1 + self._two_sided)]

    def update(self, value: float) -> None:
        if self.drift_detected:
            self._begin()
        own = self._all
        own.update(value, self._weight)
        self.drift_detected = self._sides[0].update(value, own.mean, own.factor, self._weight)
        if self._two_sided and self._sides[1].update(-value, -own.mean, own.factor, self._weight):
            self.drift_detected = True

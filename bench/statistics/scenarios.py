"""The changes that are to be found, and the one stream of single outcomes in which each of them is."""

from dataclasses import dataclass
from math import log

import numpy as np
from scipy.special import ndtr

from app.decoding.columns import Floats
from bench.statistics.counts import Counts
from bench.statistics.setup import USUAL, Change, Setup


@dataclass(frozen=True, slots=True)
class Process:
    """What a detector of single outcomes is fed with: 0 or 1 at a `rate`, or (rate None) a feature's values.

    A value is given as its normal distribution's, so that it lies in [0, 1]; it may move either way.
    """

    name: str
    rate: float | None

    @property
    def two_sided(self) -> bool:
        return self.rate is None

    def usual(self, rng: np.random.Generator, size: int) -> Floats:
        """(size,) while nothing has changed."""
        found: Floats = rng.random(size) if self.rate is None else (rng.random(size) < self.rate).astype(np.float64)
        return found


WRONG = Process("wrong predictions", 1 - USUAL.accuracy)
MISSING = Process("missing values", USUAL.missing)
VALUES = Process("values", None)
SEGMENT = 3


@dataclass(frozen=True, slots=True)
class Scenario:
    """`process`: where it is seen best. `whole`: in all of the traffic, else in segment `SEGMENT`."""

    name: str
    title: str
    change: Change
    process: Process
    whole: bool = True

    @property
    def unit(self) -> str:
        return "labels" if self.process == WRONG else "events"

    def outcomes(self, rng: np.random.Generator, counts: Counts, shift: float) -> Floats:
        """(n,) of one window, in random order. `shift`: of the feature in it."""
        own = counts.whole() if self.whole else counts
        place = 0 if self.whole else SEGMENT
        if self.process == VALUES:
            return _squashed(rng.normal(shift, 1.0, int(own.present[place, 0])))
        if self.process == MISSING:
            rows, bad = int(own.rows[place]), int(own.rows[place] - own.present[place, 0])
        else:
            rows, bad = int(own.labels[place]), int(own.wrong[place])
        return rng.permutation((np.arange(rows) < bad).astype(np.float64))

    def streams(self, setup: Setup) -> int:
        """How many streams of this kind there are to be watched."""
        return (setup.segments + 1) * (1 if self.process == WRONG else setup.features)

    def per_window(self, setup: Setup) -> float:
        """Outcomes expected in a window."""
        rows = setup.rows if self.whole else setup.rows / setup.segments
        return rows * ((1 - USUAL.error_rate) * USUAL.labelled if self.process == WRONG else 1.0)

    def information(self, setup: Setup, window: int) -> float:
        """Kullback and Leibler's divergence that a `window` (from 0) after the change brings, in nats."""
        part, rows = self.change.progress(window), self.per_window(setup)
        if self.change.relation is not None:
            relation = USUAL.relation + part * (self.change.relation - USUAL.relation)
            return rows * (1 - USUAL.missing) ** 2 * correlated(relation, USUAL.relation)
        if self.process == VALUES:
            return rows * (1 - USUAL.missing) * (part * self.change.shift) ** 2 / 2
        usual = 1 - USUAL.accuracy if self.process == WRONG else USUAL.missing
        after = 1 - self.change.accuracy if self.change.accuracy is not None else self.change.missing
        assert after is not None
        return rows * divergence(usual + part * (after - usual), usual)

    def lorden(self, setup: Setup, run_length: float) -> float:
        """Windows that no detector of this run length (in windows) can do without, on average (Lorden, 1971)."""
        needed, window = log(run_length), 0
        while needed > 0:
            brought = self.information(setup, window)
            if brought >= needed:
                return window + needed / brought
            needed -= brought
            window += 1
        return float(window)


def divergence(after: float, usual: float) -> float:
    """Of a Bernoulli variable."""
    return after * log(after / usual) + (1 - after) * log((1 - after) / (1 - usual))


def correlated(after: float, usual: float) -> float:
    """The divergence of two standard normal variables from each other's correlation."""
    return (1 - usual * after) / (1 - usual**2) - 1 + log((1 - usual**2) / (1 - after**2)) / 2


def _squashed(values: Floats) -> Floats:
    found: Floats = ndtr(values)
    return found


SCENARIOS = (
    Scenario("accuracy", "accuracy 0.90 -> 0.80", Change(accuracy=0.8), WRONG),
    Scenario("shift", "a feature shifts by 0.5 sigma", Change(shift=0.5), VALUES),
    Scenario("missing", "missing 1 % -> 3 %", Change(missing=0.03), MISSING),
    Scenario("gradual", "accuracy 0.90 -> 0.80 over 20 windows", Change(accuracy=0.8, over=20), WRONG),
    Scenario("relation", "correlation of 2 of 10 features 0.7 -> 0", Change(relation=0.0), VALUES),
    Scenario(
        "segment",
        "accuracy 0.90 -> 0.80 in one segment of ten",
        Change(accuracy=0.8, segment=SEGMENT),
        WRONG,
        whole=False,
    ),
)

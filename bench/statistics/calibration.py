"""How strict each of river's detectors must be to have a given false-alarm rate, by simulation."""

from dataclasses import dataclass
from math import inf, log

import numpy as np

from bench.statistics.river_kinds import Kind
from bench.statistics.river_streams import alarms
from bench.statistics.scenarios import Process
from bench.statistics.workers import tell

# Fewer alarms than this are no measure of a rate; none stands for a little less than one.
FEWEST_ALARMS = 4
LEAST = 0.7
POINTS = 4


@dataclass(frozen=True, slots=True)
class Curve:
    """Alarms over `outcomes` for each strictness that was tried, on outcomes in which nothing changes."""

    kind: str
    process: str
    strictness: tuple[float, ...]
    alarms: tuple[int, ...]
    outcomes: int

    def strictness_for(self, rate: float) -> float:
        """Where the rate (alarms for each outcome) is this: a line through the logarithms, also beyond what was tried.

        Through the strictest that still told something and the next one, weighted by the alarms: the logarithm of k
        alarms has a variance of about 1 / k.
        """
        last = max((place for place, k in enumerate(self.alarms) if k >= FEWEST_ALARMS), default=0)
        chosen = slice(max(last - POINTS + 2, 0), last + 2)
        places = np.array(self.strictness[chosen])
        counts = np.maximum(self.alarms[chosen], LEAST)
        slope, start = np.polyfit(places, np.log(counts / self.outcomes), 1, w=np.sqrt(counts))
        return max(float((log(rate) - start) / slope), self.strictness[0]) if slope < 0 else inf


def curve(kind: Kind, process: Process, outcomes: int, seed: int) -> Curve:
    """Runs the detector once for each strictness over the same outcomes."""
    values = process.usual(np.random.default_rng(seed), outcomes)
    told = (values > 0).tolist() if kind.binary else values.tolist()
    found = tuple(alarms(kind.make(strictness, process.two_sided), told) for strictness in kind.tried)
    tell(1)
    return Curve(kind.name, process.name, kind.tried, found, outcomes)

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
ENOUGH = 50
CHUNK = 10_000


@dataclass(frozen=True, slots=True)
class Curve:
    """Alarms over so many outcomes for each strictness that was tried, while nothing changes."""

    kind: str
    process: str
    strictness: tuple[float, ...]
    alarms: tuple[int, ...]
    outcomes: tuple[int, ...]

    def strictness_for(self, rate: float) -> float:
        """Where the rate (alarms for each outcome) is this: a line through the logarithms, also beyond what was tried.

        Through the strictest that still told something and the next one, weighted by the alarms: the logarithm of k
        alarms has a variance of about 1 / k.
        """
        last = max((place for place, k in enumerate(self.alarms) if k >= FEWEST_ALARMS), default=0)
        chosen = slice(max(last - POINTS + 2, 0), last + 2)
        places, outcomes = np.array(self.strictness[chosen]), np.array(self.outcomes[chosen])
        counts = np.maximum(self.alarms[chosen], LEAST)
        slope, start = np.polyfit(places, np.log(counts / outcomes), 1, w=np.sqrt(counts))
        return max(float((log(rate) - start) / slope), self.strictness[0]) if slope < 0 else inf


def curve(kind: Kind, process: Process, most: int, seed: int) -> Curve:
    """Runs the detector at each strictness until it has told `ENOUGH`, or over `most` outcomes times its speed."""
    found = [_run(kind, process, strictness, round(most * kind.speed), seed) for strictness in kind.tried]
    tell(1)
    alarms_, outcomes = zip(*found, strict=True)
    return Curve(kind.name, process.name, kind.tried, alarms_, outcomes)


def _run(kind: Kind, process: Process, strictness: float, most: int, seed: int) -> tuple[int, int]:
    """Alarms, and over how many outcomes."""
    rng, detector = np.random.default_rng(seed), kind.make(strictness, process.two_sided)
    found, done = 0, 0
    while found < ENOUGH and done < most:
        values = process.usual(rng, min(CHUNK, most - done))
        found += alarms(detector, (values > 0).tolist() if kind.binary else values.tolist())
        done += len(values)
    return found, done

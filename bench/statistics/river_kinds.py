"""river's detectors with the one number that each is tuned by."""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp
from typing import Any

from river.drift import ADWIN, PageHinkley
from river.drift.binary import DDM

from bench.statistics.hddm import HoeffdingA, HoeffdingW
from bench.statistics.scenarios import Process

# With river's 30 DDM fires at the first error where the first 30 had none, whatever its threshold.
WARM_START = 500
MOST = 700.0


@dataclass(frozen=True, slots=True)
class Kind:
    """`make(strictness, two_sided)`: the logarithm of its false-alarm rate falls about linearly with the strictness.

    `tried`: where that is measured. `speed`: how many more outcomes it takes in a second than the slowest.
    """

    name: str
    make: Callable[[float, bool], Any]
    tried: tuple[float, ...]
    speed: float = 1.0
    binary: bool = False


def _page_hinkley(strictness: float, two_sided: bool) -> Any:
    return PageHinkley(threshold=strictness, mode="both" if two_sided else "up")


def _ddm(strictness: float, two_sided: bool) -> Any:
    return DDM(warm_start=WARM_START, drift_threshold=strictness**0.5)


def _hddm_a(strictness: float, two_sided: bool) -> Any:
    return HoeffdingA(_confidence(strictness), two_sided)


def _hddm_w(strictness: float, two_sided: bool) -> Any:
    return HoeffdingW(_confidence(strictness), two_sided)


def _confidence(strictness: float) -> float:
    """Above 0 also where no float would be."""
    return exp(-min(strictness, MOST))


def _adwin(strictness: float, two_sided: bool) -> Any:
    return ADWIN(delta=_confidence(strictness), clock=8)


# DDM's threshold is in deviations: the tail falls with its square.
KINDS = (
    Kind("ADWIN", _adwin, (-1.0, 0.0, 1.0, 2.0, 3.0, 4.0), speed=5.0),
    Kind("PageHinkley", _page_hinkley, (2.0, 4.0, 8.0, 16.0, 32.0, 48.0), speed=2.0),
    Kind("DDM", _ddm, (2.0, 4.0, 6.0, 8.0, 10.0, 12.0), binary=True),
    Kind("HDDM_A", _hddm_a, (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0)),
    Kind("HDDM_W", _hddm_w, (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0)),
)


def kinds_for(process: Process) -> tuple[Kind, ...]:
    """Those that can watch it."""
    return tuple(kind for kind in KINDS if not (kind.binary and process.rate is None))

"""Change over time: detectors of one number after another, and the error rate as the numbers.

`river.drift` takes seconds and 128 MB to import, for scikit-learn and scipy.stats; the class that does the work lies in
river's compiled module, which takes milliseconds.
"""

from base64 import b64decode, b64encode
from functools import cache
from importlib.metadata import version
from math import sqrt
from typing import Any, Protocol

from river._river_rust.drift import AdaptiveWindowing

# A rate over fewer labels than this says little; labels of small windows are put together until there are as many.
BATCH_LABELS = 50
# ADWIN's bound is for single outcomes, 0 or 1. The mean of 50 of them spreads less by this factor: without it
# an error rate that triples takes 90 batches to be seen instead of 14.
_SCALE = sqrt(BATCH_LABELS)


@cache
def river_version() -> str:
    return version("river")


class Detector(Protocol):
    """What watches one series."""

    @property
    def drift_detected(self) -> bool:
        """Whether the last value showed a change."""
        ...

    @property
    def increased(self) -> bool:
        """Whether that change was upward."""
        ...

    def update(self, value: float) -> None: ...

    def state(self) -> dict[str, Any]: ...


class Adwin:
    """ADWIN (Bifet and Gavalda, 2007, SDM): a window that is cut where the means of its two ends differ.

    `delta`: the chance of a false alarm that each cut is tested at. It is river's, checked at every value; its state is
    river's own bytes, with the version that wrote them beside them.
    """

    def __init__(self, delta: float = 0.002) -> None:
        self.delta = delta
        self._adwin = AdaptiveWindowing(delta=delta, clock=1)
        self._detected = False
        self._increased = False

    @property
    def drift_detected(self) -> bool:
        return self._detected

    @property
    def increased(self) -> bool:
        return self._detected and self._increased

    def update(self, value: float) -> None:
        """Adds one value. The bound holds for what spreads no more than an outcome of 0 or 1."""
        adwin = self._adwin
        before = adwin.get_total() / adwin.get_width() if adwin.get_width() else value
        # Its own window goes on after a change, without what was before: river's wrapper would empty it.
        self._detected = bool(adwin.update(value))
        self._increased = adwin.get_total() / adwin.get_width() > before

    def state(self) -> dict[str, Any]:
        encoded = b64encode(self._adwin.__getstate__()).decode()
        return {"delta": self.delta, "river": river_version(), "adwin": encoded}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Adwin":
        """A detector that goes on where that one stood; a new one when another river wrote the state."""
        detector = cls(state["delta"])
        if state["river"] == river_version():
            detector._adwin.__setstate__(b64decode(state["adwin"]))
        return detector


class ErrorRateDetector:
    """Watches a model's error rate, one value per batch of at least `BATCH_LABELS` labels.

    `drift_detected`: whether the last update brought a harmful change, which is a higher error rate. The value is the
    rate times sqrt(50): a mean of 50 or more outcomes is sub-Gaussian with 1/50 of one outcome's variance proxy
    (Hoeffding's lemma), so scaled it obeys the bound for one outcome.
    """

    def __init__(self, detector: Detector | None = None) -> None:
        self._detector = detector if detector is not None else Adwin()
        self._labels = 0
        self._errors = 0.0
        self.drift_detected = False

    def update(self, labels: int, errors: float) -> None:
        """Adds a window: its labels, and how many of them the prediction missed."""
        self.drift_detected = False
        self._labels += labels
        self._errors += errors
        if self._labels >= BATCH_LABELS:
            self._detector.update(_SCALE * min(max(self._errors / self._labels, 0.0), 1.0))
            self.drift_detected = self._detector.increased
            self._labels, self._errors = 0, 0.0

    def state(self) -> dict[str, Any]:
        return {"labels": self._labels, "errors": self._errors, "detector": self._detector.state()}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "ErrorRateDetector":
        own = cls(Adwin.from_state(state["detector"]))
        own._labels, own._errors = state["labels"], state["errors"]
        return own

"""river's detectors in place of our own, for those who choose them: one outcome after another, until they see a rise.

They know no budget: each has the run length that its own threshold gives. `river.drift` takes seconds and 128 MB to
import, so it is imported by those who chose it only; ADWIN alone needs none of that.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable
from math import floor
from typing import Any

from app.drift.detectors import ErrorRateDetector, river_version

# Outcomes until a false alarm: 40 streams of 60,000 independent outcomes of which a tenth are hits
# (one is measured again in tests/app/drift/test_river_detectors.py).
RUN_LENGTHS = {
    "adwin": "2,400,000 or more",
    "page_hinkley": "42,000",
    "ddm": "50,000",
    "hddm_a": "2,400,000 or more",
    "hddm_w": "2,400,000 or more",
}
# Of larger windows so many outcomes are shown to a detector, with the same share of hits.
MOST_OUTCOMES = 1000


class RiverDetector:
    """One of `RUN_LENGTHS` over windows of (hits, rows). `state`: as `state()` gave it.

    Within a window hits are spread evenly, since their order is not known. A state of another river begins anew.
    """

    def __init__(self, kind: str, state: dict[str, Any] | None = None) -> None:
        self.kind = kind
        state = state if state and state["kind"] == kind and state["river"] == river_version() else None
        self._adwin = ErrorRateDetector() if kind == "adwin" else None
        self._other: Any = None
        if self._adwin is not None:
            self._adwin = ErrorRateDetector.from_state(state["detector"]) if state else self._adwin
        else:
            self._other = _makers()[kind]()
            if state:
                _restore(self._other, state["detector"])

    def state(self) -> dict[str, Any]:
        detector = self._adwin.state() if self._adwin is not None else _data(self._other)
        return {"kind": self.kind, "river": river_version(), "detector": detector}

    def update(self, hits: float, rows: float) -> bool:
        """Adds a window; whether it brought a rise."""
        if self._adwin is not None:
            self._adwin.update(round(rows), hits)
            return self._adwin.drift_detected
        shown = min(round(rows), MOST_OUTCOMES)
        share = hits / rows if rows else 0.0
        found = False
        for place in range(shown):
            self._other.update(floor((place + 1) * share + 0.5) > floor(place * share + 0.5))
            found = found or self._other.drift_detected
        return found


def _makers() -> dict[str, Callable[[], Any]]:
    from river.drift import PageHinkley, binary

    return {
        "page_hinkley": lambda: PageHinkley(mode="up"),
        "ddm": binary.DDM,
        "hddm_a": binary.HDDMA,
        "hddm_w": binary.HDDMW,
    }


def _data(thing: Any) -> dict[str, Any]:
    """Its numbers by name, of its parts as well; compiled ones as their own bytes."""
    found: dict[str, Any] = {}
    for name, value in vars(thing).items():
        if value is None or isinstance(value, bool | int | float | str):
            found[name] = value
        elif not callable(value):
            found[name] = _data(value) if hasattr(value, "__dict__") else b64encode(value.__getstate__()).decode()
    return found


def _restore(thing: Any, data: dict[str, Any]) -> None:
    for name, value in data.items():
        own = getattr(thing, name)
        if own is None or isinstance(own, bool | int | float | str):
            setattr(thing, name, value)
        elif hasattr(own, "__dict__"):
            _restore(own, value)
        else:
            own.__setstate__(b64decode(value))

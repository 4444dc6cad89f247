"""What a window holds of each share that is watched: how many rows, and how many of them it is about."""

from collections.abc import Mapping
from typing import Any

from app.alerts.rules import HEALTHY_ERROR_RATE, Reading
from app.statistics.histogram import LogHistogram

QUALITY = ("missing", "unseen", "out_of_range")
LEARN_MS = 3_600_000
# A quantile is that of at least so many windows, and rows.
FEWEST_WINDOWS = 5
FEWEST_ROWS = 200


class Quantile:
    """A quantile of the first healthy hour, above which values are counted from then on. `state`: as `state()` gave it.

    So a tail is watched by a share: how many exceed what few exceeded before.
    """

    def __init__(self, q: float, state: Mapping[str, Any] | None = None) -> None:
        state = state or {}
        self.q = q
        self.value: float | None = state.get("value")
        self._until: int | None = state.get("until")
        self._windows: int = state.get("windows", 0)
        self._seen = LogHistogram.from_state(state["seen"]) if "seen" in state else LogHistogram()

    def state(self) -> dict[str, Any]:
        known = {"value": self.value, "until": self._until, "windows": self._windows}
        return known | ({"seen": self._seen.state()} if self._seen.seen else {})

    def hits(self, seen: LogHistogram, start: int, end: int) -> tuple[float, float] | None:
        """(rows above it, all rows) of a window [start, end) in ms; None while it is learned from such windows."""
        if self.value is not None:
            return float(seen.above(self.value)), float(seen.count)
        self._until = start + LEARN_MS if self._until is None else self._until
        self._seen.merge(seen)
        self._windows += 1
        if self._windows >= FEWEST_WINDOWS and self._seen.count >= FEWEST_ROWS and self._enough(end):
            self.value, self._seen = self._seen.quantile(self.q), LogHistogram()
        return None

    def _enough(self, end: int) -> bool:
        assert self._until is not None
        return end >= self._until or self._seen.count >= 100 * FEWEST_ROWS


class Hits:
    """Name of a share -> (hits, rows) in each window of one version and segment. `state`: as `state()` gave it."""

    def __init__(self, state: Mapping[str, Any] | None = None) -> None:
        state = state or {}
        self.latency = Quantile(0.99, state.get("latency"))
        self.errors = Quantile(0.9, state.get("errors"))

    def state(self) -> dict[str, Any]:
        return {"latency": self.latency.state(), "errors": self.errors.state()}

    def of(self, reading: Reading) -> dict[str, tuple[float, float]]:
        """What there are rows for. Names are of a rule, and of a feature behind a slash."""
        found: dict[str, tuple[float, float] | None] = {
            "performance": self._performance(reading),
            "error_rate": _share(reading.metrics.get("error_rate"), reading.predictions),
            "latency_p99": self._latency(reading),
            "label_coverage": _unlabelled(reading),
        }
        for feature, own in sorted(reading.data_quality.items()):
            for check in QUALITY:
                found[f"{check}/{feature}"] = _share(own.get(check), reading.feature_rows)
        return {name: hits for name, hits in found.items() if hits is not None}

    def _performance(self, reading: Reading) -> tuple[float, float] | None:
        accuracy = reading.metrics.get("accuracy")
        if accuracy is not None:
            return _share(1 - accuracy, reading.labels)
        if reading.errors is None or not reading.errors.seen or not healthy(reading):
            return None
        return self.errors.hits(reading.errors, reading.start, reading.end)

    def _latency(self, reading: Reading) -> tuple[float, float] | None:
        if reading.latency is None or not reading.latency.seen or reading.segment:
            return None
        if self.latency.value is None and not healthy(reading):
            return None
        return self.latency.hits(reading.latency, reading.start, reading.end)


def healthy(reading: Reading) -> bool:
    """Whether a window may be part of what is usual."""
    return reading.metrics.get("error_rate", 0.0) <= HEALTHY_ERROR_RATE


def _share(share: float | None, rows: int) -> tuple[float, float] | None:
    return None if share is None or not rows else (round(min(max(share, 0.0), 1.0) * rows, 6), float(rows))


def _unlabelled(reading: Reading) -> tuple[float, float] | None:
    """Predictions less the labels that became known beside them. Of a version that never had one there is no news."""
    if not reading.predictions or reading.segment:
        return None
    return float(max(reading.predictions - reading.labels, 0)), float(reading.predictions)

"""Latency against what was usual: the p99 of the version's first healthy hour."""

from typing import Any

from app.rules import FEWEST_ROWS, HEALTHY_ERROR_RATE, Reading, Verdict
from app.statistics.histogram import LogHistogram

REFERENCE_MS = 3_600_000
# Until the hour is over, the reference is that of at least this many windows.
FEWEST_WINDOWS = 5
TIMES = 2.0
# A p99 of few rows is their slowest one: as many as this must be too slow together.
SLOW_ROWS = 3


class LatencyWatch:
    """One version. The reference grows for an hour with the latencies of healthy windows, then it is one number."""

    def __init__(self, state: dict[str, Any] | None = None) -> None:
        state = state or {}
        self.until: int | None = state.get("until")
        self.windows: int = state.get("windows", 0)
        self.p99: float | None = state.get("p99")
        self._seen = LogHistogram.from_state(state["seen"]) if "seen" in state else LogHistogram()

    def state(self) -> dict[str, Any]:
        known = {"until": self.until, "windows": self.windows, "p99": self.p99}
        return known | ({"seen": self._seen.state()} if self._seen.count else {})

    def judge(self, reading: Reading) -> Verdict | None:
        """The verdict on a window, by the reference as it was before it; a healthy window then adds to it."""
        if reading.latency is None or not reading.latency.count:
            return None
        verdict = self._verdict(reading, reading.latency)
        if not (verdict and verdict.bad) and reading.metrics.get("error_rate", 0.0) <= HEALTHY_ERROR_RATE:
            self._learn(reading, reading.latency)
        return verdict

    def _verdict(self, reading: Reading, latency: LogHistogram) -> Verdict | None:
        rows, p99 = latency.count, latency.quantile(0.99)
        if self.p99 is None or self.windows < FEWEST_WINDOWS or rows < FEWEST_ROWS or p99 is None:
            return None
        bound = TIMES * self.p99
        slow = latency.quantile(min(0.99, 1 - SLOW_ROWS / rows))
        bad = True if slow is not None and slow > bound else False if p99 <= bound else None
        sentence = (
            f"p99 latency is {p99:.4g} ms, more than {TIMES:g} times" if bad else f"p99 latency is {p99:.4g} ms, by"
        )
        sentence += f" the usual {self.p99:.4g} ms"
        return Verdict(bad, p99, bound, "warning", sentence, {"reference_p99_ms": self.p99})

    def _learn(self, reading: Reading, latency: LogHistogram) -> None:
        if self.until is None:
            self.until = reading.start + REFERENCE_MS
        if reading.end <= self.until:
            self._seen.merge(latency)
            self.windows += 1
            self.p99 = self._seen.quantile(0.99)
        elif self._seen.count and self.windows >= FEWEST_WINDOWS:
            self._seen = LogHistogram()
        elif self.windows < FEWEST_WINDOWS:
            self.until = reading.end + REFERENCE_MS

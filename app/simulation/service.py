"""A simulated serving system: what it publishes about each request, and what turns out to be true later."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.decoding.columns import Floats
from app.simulation.world import Applications, Era, applications
from app.timestamps import rfc3339
from app.training.tabular import Predicted, TabularModel

MIB = 1024 * 1024
INSTANCES = ("serving-1", "serving-2")
ERROR_SHARE = 0.002
SLOW_SHARE = 0.01
NEVER_LABELLED = 0.04
TIMEOUT_MS = 250.0
# Labels come between about 1 and 8 seconds after their predictions, most of them within 4.
LABEL_AFTER_MS = 1000
LABEL_SPREAD_MS = 900.0

Record = dict[str, Any]


@dataclass(slots=True)
class Served:
    """One request's records; `label` is None where the truth never comes, else known at `label_ms`."""

    prediction: Record
    timestamp_ms: int
    label: Record | None
    label_ms: int


class Service:
    """Serves `model` as `version`. The same run, seed and times give the same records; `run` begins their ids."""

    def __init__(self, name: str, run: str, seed: int, version: str, model: TabularModel) -> None:
        self.name = name
        self.version = version
        self.model = model
        self._run = run
        self._rng = np.random.default_rng(seed)
        self._served = 0

    def serve(self, times: Sequence[int], era: Era) -> list[Served]:
        """A request at each of the `times` (ms)."""
        if not times:
            return []
        asked = applications(self._rng, era, len(times))
        said = self.model.predict(asked.features, len(times))
        latencies, failed = self._latencies(len(times)), self._rng.random(len(times)) < ERROR_SHARE
        delays = LABEL_AFTER_MS + self._rng.gamma(2.0, LABEL_SPREAD_MS, len(times))
        known = self._rng.random(len(times)) >= NEVER_LABELLED
        first, self._served = self._served, self._served + len(times)
        return [
            self._record(asked, said, row, first + row, time, latencies[row], bool(failed[row]))
            if failed[row] or not known[row]
            else self._labelled(asked, said, row, first + row, time, latencies[row], delays[row])
            for row, time in enumerate(times)
        ]

    def _latencies(self, n: int) -> Floats:
        slow = self._rng.random(n) < SLOW_SHARE
        return np.where(slow, 5.0, 1.0) * self._rng.lognormal(np.log(8.0), 0.4, n)

    def _labelled(
        self, asked: Applications, said: Predicted, row: int, number: int, time: int, latency_ms: float, delay_ms: float
    ) -> Served:
        served = self._record(asked, said, row, number, time, latency_ms, failed=False)
        served.label_ms = time + int(delay_ms)
        served.label = {
            "prediction_id": served.prediction["prediction_id"],
            "label": asked.outcomes[row],
            "timestamp": rfc3339(served.label_ms),
        }
        return served

    def _record(
        self, asked: Applications, said: Predicted, row: int, number: int, time: int, latency_ms: float, failed: bool
    ) -> Served:
        prediction: Record = {
            "prediction_id": f"{self._run}-{number:08}",
            "model": self.name,
            "version": self.version,
            "timestamp": rfc3339(time),
            "features": {name: values[row] for name, values in asked.features.items()},
            "segments": {name: values[row] for name, values in asked.segments.items()},
            "latency_ms": TIMEOUT_MS if failed else round(float(latency_ms), 3),
        }
        if failed:
            prediction["error"] = "timeout"
        else:
            prediction["prediction"] = said.predictions[row]
            prediction["probabilities"] = _probabilities(said, row)
        return Served(prediction, time, None, 0)

    def resources(self, time: int, rate: float) -> list[Record]:
        """A reading of each instance: processor by the rate of requests (1/s), memory that creeps up a little."""
        return [
            {
                "model": self.name,
                "version": self.version,
                "instance": instance,
                "timestamp": rfc3339(time),
                "cpu_percent": round(float(np.clip(self._rng.normal(12 + rate / 10, 3), 0, 100)), 1),
                "memory_bytes": int(self._rng.normal(420 + self._served / 20_000, 2) * MIB),
            }
            for instance in INSTANCES
        ]


def _probabilities(said: Predicted, row: int) -> dict[str, float]:
    assert said.probabilities is not None
    shares = said.probabilities.matrix[row]
    return {name: round(float(share), 6) for name, share in zip(said.probabilities.classes, shares, strict=True)}

"""Healthy streams stay silent, and broken ones do not: windows of one minute of a model that nobody configured."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from app.drift.baseline import Baseline
from app.monitor import Monitor
from app.segments import EVERYTHING, Segment
from app.settings import Settings
from app.statistics.totals import Totals
from tests.app.closing import MINUTE, labelled, pane, predictions

SETTINGS = Settings.model_validate({"windows": {"pane_s": 60, "tumbling_s": [60], "hopping_s": []}})
WEB: Segment = (("channel", "web"),)


class World:
    """What a serving system would send in a minute. Rates vary from minute to minute, as real ones do."""

    def __init__(self, seed: int, rows: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.rows = rows
        self.error_rate = 0.01
        self.accuracy = 0.9
        self.latency_ms = 20.0
        self.shift = 0.0
        self.missing = 0.02

    def minute(self, baseline: Baseline | None, share: float = 1.0) -> Totals:
        rows = int(self.rng.poisson(self.rows * share))
        totals = Totals()
        if rows:
            predictions(
                rows,
                errors=int(self.rng.binomial(rows, self.error_rate * self.rng.lognormal(0, 0.3))),
                latency_ms=self.rng.lognormal(np.log(self.latency_ms), 0.6, rows),
                features={f"x{n}": self._feature(n, rows) for n in range(5)},
                baseline=baseline,
                sample_rows=256,
                into=totals,
            )
        labels = rows // 2
        if labels:
            right = int(self.rng.binomial(labels, min(self.accuracy + self.rng.normal(0, 0.005), 1)))
            labelled(right, labels - right, into=totals)
        return totals

    def _feature(self, number: int, rows: int) -> Any:
        values = self.rng.normal(self.shift if number < 2 else 0, 1, rows)
        values[self.rng.random(rows) < (self.missing if number == 4 else 0.0)] = np.nan
        return values


def run(world: World, monitor: Monitor, first: int, last: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Minutes from `first` to `last`; the alerts, with the minute in which they came."""
    for minute in range(first, last):
        baseline = next(iter(monitor.references.by_id.values()), None)
        windows = {("1", EVERYTHING): world.minute(baseline), ("1", WEB): world.minute(baseline, 0.2)}
        outcome = monitor.close_pane(pane(minute * MINUTE, windows, length=MINUTE, cohorts={}))
        yield from ((minute, message.value) for message in outcome.messages if message.topic == "alerts")


@pytest.mark.parametrize(("rows", "windows"), [(25, 500), (300, 2000)])
def test_a_healthy_stream_stays_silent(rows: int, windows: int) -> None:
    monitor = Monitor("credit", SETTINGS, {})
    fired = [alert["rule"] for _, alert in run(World(rows, rows), monitor, 0, windows) if alert["state"] == "firing"]
    assert len(fired) <= 1, fired


@pytest.mark.parametrize(
    ("harm", "rule", "within"),
    [
        ({"error_rate": 0.2}, "error_rate", 2),
        ({"latency_ms": 80.0}, "latency_p99", 3),
        ({"missing": 0.4}, "missing", 2),
        ({"accuracy": 0.6}, "performance", 1),
        ({"accuracy": 0.83}, "performance", 40),
        ({"shift": 1.5}, "drift", 2),
    ],
)
def test_a_broken_one_is_found_and_found_well_again(harm: dict[str, float], rule: str, within: int) -> None:
    world, monitor = World(7, 300), Monitor("credit", SETTINGS, {})
    assert list(run(world, monitor, 0, 100)) == []
    for name, value in harm.items():
        setattr(world, name, value)
    found = [(minute, alert) for minute, alert in run(world, monitor, 100, 140) if not alert["segment"]]
    minute, alert = found[0]
    assert (alert["rule"], alert["state"]) == (rule, "firing")
    assert minute - 100 < within
    healthy = World(8, 300)
    healthy.rng = world.rng
    ended = [ended for _, ended in run(healthy, monitor, 140, 170) if ended["alert_id"] == alert["alert_id"]]
    assert [one["state"] for one in ended] == ["resolved"]
    assert monitor.snapshot().incidents == ()

"""Alerts on streams in which nothing changes."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bench.statistics.drawn import draw
from bench.statistics.fixed import Thresholds
from bench.statistics.product import Product
from bench.statistics.reference import reference
from bench.statistics.river_streams import SingleOutcomes, WindowedDetectors
from bench.statistics.setup import Setup
from bench.statistics.workers import tell
from bench.statistics.world import World

LOUD = ("warning", "critical")
PRODUCT = "Inferwatch"
QUIET = "Inferwatch, info only"


@dataclass(slots=True)
class Alarms:
    """What one stream brought. `rules`: the product's alerts by rule and severity. `days`: watched, by method."""

    seed: int
    wandering: bool
    alerts: dict[str, int] = field(default_factory=dict)
    days: dict[str, float] = field(default_factory=dict)
    rules: dict[str, int] = field(default_factory=dict)
    first: list[str] = field(default_factory=list)


class Incidents:
    """The product's incidents, each by the highest severity that it was told with."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[str, str]] = {}
        self.summaries: list[str] = []

    def add(self, alerts: list[dict[str, Any]]) -> None:
        for alert in alerts:
            if alert["state"] == "resolved":
                continue
            before = self._told.get(alert["alert_id"])
            if before is None or alert["severity"] in LOUD:
                self._told[alert["alert_id"]] = (alert["rule"], alert["severity"])
            if before is None:
                self.summaries.append(f"{alert['severity']} {alert['rule']} {alert['window_end']} {alert['summary']}")

    def rules(self) -> Counter[str]:
        return Counter(f"{rule} ({severity})" for rule, severity in self._told.values())

    def loud(self) -> int:
        return sum(severity in LOUD for _, severity in self._told.values())

    def quiet(self) -> int:
        return len(self._told) - self.loud()


def stationary(setup: Setup, seed: int) -> Alarms:
    """One stream through everything; each window is a step."""
    world = World(setup, np.random.default_rng([seed, setup.wandering]))
    product = Product(setup, reference(world))
    thresholds = Thresholds(product.baseline, product.features)
    windowed, single = WindowedDetectors(), SingleOutcomes(np.random.default_rng(seed))
    incidents = Incidents()
    for number in range(setup.windows):
        drawn = draw(world, product.baseline, product.features)
        incidents.add(product.alerts(number, drawn))
        thresholds.window(drawn.counts)
        windowed.window(drawn.counts)
        single.window(drawn.counts)
        tell(1)
    found = Alarms(seed, setup.wandering, rules=dict(incidents.rules()), first=incidents.summaries[:5])
    found.alerts = {PRODUCT: incidents.loud(), QUIET: incidents.quiet(), **thresholds.alerts}
    found.alerts |= {f"river {name}, windows": count for name, count in windowed.alerts.items()}
    found.days = dict.fromkeys(found.alerts, setup.days)
    outcomes = {f"river {name}, outcomes": count for name, count in single.alerts.items()}
    found.alerts |= outcomes
    found.days |= dict.fromkeys(outcomes, single.windows * setup.window_s / 86400)
    return found

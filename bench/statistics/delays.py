"""How long after a change it is told: by the product, and by river's detectors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np

from app.decoding.columns import Floats
from bench.statistics.counts import draw_counts
from bench.statistics.drawn import draw
from bench.statistics.product import Product
from bench.statistics.reference import reference
from bench.statistics.river_kinds import kinds_for
from bench.statistics.scenarios import Scenario
from bench.statistics.setup import Setup
from bench.statistics.stationary import PRODUCT
from bench.statistics.workers import tell
from bench.statistics.world import World

HEALTHY_WINDOWS = 240
MOST_WINDOWS = 200


@dataclass(frozen=True, slots=True)
class Delay:
    """`windows`, `outcomes`: until the alert, None when there was none in `MOST_WINDOWS`. `rule`: and its severity."""

    scenario: str
    method: str
    seed: int
    windows: int | None
    outcomes: int | None
    rule: str = ""


Strictness = Mapping[str, float]


def delays(setup: Setup, seed: int, scenarios: Sequence[Scenario], strictness: Mapping[str, Strictness]) -> list[Delay]:
    """All scenarios, each after the same healthy stream. `strictness`: by scenario, of each of river's detectors."""
    assert setup.related or all(scenario.change.relation is None for scenario in scenarios)
    rng = np.random.default_rng([seed, 7])
    world = World(setup, rng)
    product = Product(setup, reference(world))
    for number in range(HEALTHY_WINDOWS):
        product.alerts(number, draw(world, product.baseline, product.features))
        tell(1)
    before = dict(product.slots)
    found = []
    for scenario in scenarios:
        own = Product(setup, product.baseline, before)
        told, windows = _until_told(own, world, scenario)
        outcomes = [len(values) for values in windows]
        found.append(_delay(scenario, PRODUCT, seed, told, outcomes))
        tell(1)
        found += _river(rng, scenario, seed, windows, world, product, strictness[scenario.name])
    return found


def _until_told(product: Product, world: World, scenario: Scenario) -> tuple[tuple[int, str] | None, list[Floats]]:
    """The window (from 0) of the first alert after the change with its rule, and the outcomes of all windows."""
    windows: list[Floats] = []
    since = world.window
    for number in range(MOST_WINDOWS):
        drawn = draw(world, product.baseline, product.features, scenario.change, since)
        windows.append(scenario.outcomes(world.rng, drawn.counts, drawn.rates.shift[0, 0]))
        fired = [alert for alert in product.alerts(HEALTHY_WINDOWS + number, drawn) if alert["state"] == "firing"]
        if fired:
            return (number, f"{fired[0]['rule']} ({fired[0]['severity']})"), windows
    return None, windows


def _delay(scenario: Scenario, method: str, seed: int, told: tuple[int, str] | None, outcomes: Sequence[int]) -> Delay:
    if told is None:
        return Delay(scenario.name, method, seed, None, None)
    return Delay(scenario.name, method, seed, told[0] + 1, sum(outcomes[: told[0] + 1]), told[1])


def _river(
    rng: np.random.Generator,
    scenario: Scenario,
    seed: int,
    windows: list[Floats],
    world: World,
    product: Product,
    strictness: Strictness,
) -> list[Delay]:
    """Over the same outcomes, and further windows where the product was sooner."""
    found = []
    healthy = scenario.process.usual(rng, round(HEALTHY_WINDOWS * scenario.per_window(world.setup)))
    since = world.window - len(windows)
    for kind in kinds_for(scenario.process):
        detector = kind.make(strictness[kind.name], scenario.process.two_sided)
        _first(detector, healthy, kind.binary)
        place = None
        for number in range(MOST_WINDOWS):
            if number == len(windows):
                rates = world.rates(scenario.change, since)
                counts = draw_counts(rng, rates, product.features)
                windows.append(scenario.outcomes(rng, counts, rates.shift[0, 0]))
            if _first(detector, windows[number], kind.binary) is not None:
                place = number
                break
        found.append(
            _delay(scenario, kind.name, seed, None if place is None else (place, ""), [len(own) for own in windows])
        )
    return found


def _first(detector: Any, values: Floats, binary: bool) -> int | None:
    """The place of the first alarm."""
    for place, value in enumerate((values > 0).tolist() if binary else values.tolist()):
        detector.update(value)
        if detector.drift_detected:
            return place
    return None


def quantile(values: Sequence[int | None], q: float) -> float:
    """The least value with at least this share at or below it; infinite where it was not reached."""
    ranked = sorted(float("inf") if value is None else float(value) for value in values)
    return ranked[max(ceil(q * len(ranked)) - 1, 0)]

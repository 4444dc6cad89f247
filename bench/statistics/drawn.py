"""One window of a world, as it is given to everything that watches."""

from dataclasses import dataclass

from app.drift.baseline import Baseline
from app.statistics.relations import Relations
from bench.statistics.counts import Counts, draw_counts
from bench.statistics.features import BinnedFeatures
from bench.statistics.relations import draw_relations
from bench.statistics.setup import STILL, Change
from bench.statistics.world import Rates, World


@dataclass(frozen=True, slots=True)
class Drawn:
    """`relations`: of all the traffic, then of each segment; empty where there are none."""

    rates: Rates
    counts: Counts
    relations: list[Relations]


def draw(world: World, baseline: Baseline, features: BinnedFeatures, change: Change = STILL, since: int = 0) -> Drawn:
    """The world's next window. `since`: the window in which `change` began."""
    rates = world.rates(change, since)
    counts = draw_counts(world.rng, rates, features)
    related = draw_relations(world.rng, rates, counts, baseline) if world.setup.related else []
    return Drawn(rates, counts, related)

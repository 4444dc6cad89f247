"""What this process has counted since its start, for its metrics."""

from collections import Counter
from dataclasses import dataclass, field

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


@dataclass(slots=True)
class Durations:
    """A histogram of seconds: how many took at most each of `BUCKETS_S`, how many in all, and their sum."""

    at_most: list[int] = field(default_factory=lambda: [0] * len(BUCKETS_S))
    count: int = 0
    total_s: float = 0.0

    def observe(self, seconds: float) -> None:
        self.count += 1
        self.total_s += seconds
        for index, bound in enumerate(BUCKETS_S):
            if seconds <= bound:
                self.at_most[index] += 1


@dataclass(slots=True)
class Counters:
    """Keyed by the labels of the series of that name. A replay after a restart counts again, as any counter does."""

    predictions: Counter[tuple[str, str]] = field(default_factory=Counter)
    errors: Counter[tuple[str, str]] = field(default_factory=Counter)
    labels: Counter[tuple[str, str]] = field(default_factory=Counter)
    late: Counter[tuple[str, str]] = field(default_factory=Counter)
    dead_letters: Counter[str] = field(default_factory=Counter)
    misrouted: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    given_up: int = 0
    """Entries of the join's stores, about, that were let go of before their horizon."""
    chunks: dict[str, Durations] = field(default_factory=dict)

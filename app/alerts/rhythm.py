"""How regularly something comes, and from when on its absence is news."""

from collections.abc import Set
from typing import Any

from app.alerts.quiet_hours import waited_ms, waited_until

LEAST_MS = 60_000
WINDOWS = 3
# Traffic in bursts: a gap is nothing to tell until it is this many times the longest usual one.
TIMES_USUAL = 3
# What is usual follows the traffic: a gap counts half after about 140 panes with predictions.
FORGET = 0.995


def least_patience_ms(shortest_window_ms: int) -> int:
    return max(WINDOWS * shortest_window_ms, LEAST_MS)


class Rhythm:
    """Panes in which predictions came. `last`: end (ms) of the newest. `state`: as `state()` gave it.

    `quiet`: hours of the week in which none are expected; time in them is no waiting.
    """

    __slots__ = ("last", "least_ms", "panes", "quiet", "usual_ms")

    def __init__(self, least_ms: int, state: list[Any] | None = None) -> None:
        self.least_ms = least_ms
        self.last: int | None = None
        self.panes = 0
        self.usual_ms = 0.0
        self.quiet: Set[int] = frozenset()
        if state is not None:
            self.last, self.panes, self.usual_ms, *others = state
            self.quiet = frozenset(*others)

    def state(self) -> list[Any]:
        return [self.last, self.panes, self.usual_ms, sorted(self.quiet)]

    def heard(self, start: int, end: int, quiet: Set[int] = frozenset()) -> None:
        """Predictions came in the pane [start, end)."""
        self.quiet = quiet
        gap = waited_ms(self.last, start, quiet) if self.last is not None else 0
        self.usual_ms = max(float(gap), self.usual_ms * FORGET)
        self.last = end
        self.panes += 1

    def patience_ms(self) -> int:
        return max(self.least_ms, round(TIMES_USUAL * self.usual_ms))

    def missed_at(self) -> int | None:
        """When it is news that nothing came any more."""
        return None if self.last is None else waited_until(self.last, self.patience_ms(), self.quiet)

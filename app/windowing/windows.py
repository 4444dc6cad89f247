"""Closed panes -> tumbling and hopping windows of one model, by version and segment.

Panes add up in stripes: as wide as a tumbling window, or as a hop. A hopping window is the sum of its stripes, oldest
first. Stripes of which no window is open any more are dropped; stretches of time without events cost nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.identity import identifier
from app.segments import Segment, as_object
from app.settings import WindowSettings
from app.statistics.totals import Totals
from app.timestamps import rfc3339
from app.windowing.accumulators import Accumulator, slot_name
from app.windowing.panes import WindowKey

PREFIX = "window/"


@dataclass(frozen=True, slots=True)
class Window:
    """A window with data, final (a cohort: as of `revision`). Times in ms, `end` is not in it."""

    kind: str
    version: str
    segment: Segment
    start: int
    end: int
    totals: Totals
    revision: int | None = None

    def identity(self, model: str) -> str:
        return identifier(model, self.version, as_object(self.segment), self.kind, self.start, self.end)


class Windows:
    """The stripes of one model that windows still need. `state`: its slots, as stored."""

    def __init__(self, settings: WindowSettings, state: Mapping[str, bytes]) -> None:
        self.tumbling = sorted(settings.tumbling_ms)
        self.hopping = sorted(settings.hopping_ms)
        self._keep = {length: length for length in self.tumbling}
        for size, hop in self.hopping:
            self._keep[hop] = max(size, self._keep.get(hop, 0))
        self._stripes: dict[int, dict[int, dict[WindowKey, Accumulator]]] = {width: {} for width in self._keep}
        self._stored: set[str] = set()
        self._changed: dict[str, Accumulator] = {}
        self._dropped: list[str] = []
        self._complete: list[Accumulator] = []
        for name in sorted(state):
            if name.startswith(PREFIX):
                self._load(name, state[name])

    def add(self, pane_start: int, pane_end: int, totals: Mapping[WindowKey, Totals]) -> None:
        """Adds what was on time in a pane. A pane that is in already changes nothing."""
        for width, stripes in self._stripes.items():
            start = pane_start - pane_start % width
            for key, own in totals.items():
                stripe = stripes.setdefault(start, {}).get(key)
                if stripe is None:
                    stripe = stripes[start][key] = Accumulator(*key, start, start + width, start)
                if stripe.add(pane_end, own):
                    self._changed[slot_name("window", *key, start, start + width)] = stripe

    def next_end(self, clock: int) -> int | None:
        """When, after `clock`, the next window with data ends."""
        return min(self._ends(clock), default=None)

    def ending(self, end: int) -> list[Window]:
        """The windows with data that end at `end`: the shortest first, by version and segment."""
        windows = [
            Window("tumbling", *key, end - length, end, stripe.totals)
            for length in self.tumbling
            for key, stripe in sorted(self._stripes[length].get(end - length, {}).items())
        ]
        windows += [
            Window("hopping", *key, end - size, end, totals)
            for size, hop in self.hopping
            if end % hop == 0
            for key, totals in sorted(self._over(hop, end - size, end).items())
        ]
        for width, stripes in self._stripes.items():
            self._complete += stripes.get(end - width, {}).values()
        self.drop(end)
        return windows

    def drop(self, clock: int) -> None:
        """Gives up the stripes of which all windows have ended at `clock`."""
        for width, keep in self._keep.items():
            for start in [start for start in self._stripes[width] if start + keep <= clock]:
                for key in self._stripes[width].pop(start):
                    name = slot_name("window", *key, start, start + width)
                    self._changed.pop(name, None)
                    self._dropped.append(name)

    def changes(self, position: int) -> tuple[dict[str, bytes], list[str]]:
        """What is to be stored since the last call, and the slots that are to go. `position`: stored beside it."""
        values = {name: stripe.pack({"position": position}) for name, stripe in self._changed.items()}
        for stripe in self._complete:
            stripe.release()
        dropped = [name for name in self._dropped if name in self._stored]
        self._stored = (self._stored | values.keys()).difference(dropped)
        self._changed, self._dropped, self._complete = {}, [], []
        return values, dropped

    def _load(self, name: str, packed: bytes) -> None:
        self._stored.add(name)
        stripe, _ = Accumulator.unpack(packed)
        stripes = self._stripes.get(stripe.end - stripe.start)
        if stripes is None:
            self._dropped.append(name)
        else:
            stripes.setdefault(stripe.start, {})[stripe.version, stripe.segment] = stripe

    def _ends(self, clock: int) -> Iterator[int]:
        for length in self.tumbling:
            yield from (start + length for start in self._stripes[length] if start + length > clock)
        for size, hop in self.hopping:
            for start in self._stripes[hop]:
                end = max(clock - clock % hop, start) + hop
                if end <= start + size:
                    yield end

    def _over(self, width: int, start: int, end: int) -> dict[WindowKey, Totals]:
        summed: dict[WindowKey, Totals] = {}
        for stripe_start in sorted(self._stripes[width]):
            if start <= stripe_start < end:
                for key, stripe in self._stripes[width][stripe_start].items():
                    summed.setdefault(key, Totals()).merge(stripe.totals)
        return summed


def record(model: str, window: Window, figures: Mapping[str, Any]) -> dict[str, Any]:
    """The window as in the contract. `figures`: what its totals say."""
    revision = {} if window.revision is None else {"revision": window.revision}
    return {
        "window_id": window.identity(model),
        "model": model,
        "version": window.version,
        "segment": as_object(window.segment),
        "kind": window.kind,
        "start": rfc3339(window.start),
        "end": rfc3339(window.end),
        **revision,
        **figures,
    }

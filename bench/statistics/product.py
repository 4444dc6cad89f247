"""The product's own way from the totals of windows to alerts."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from app.drift.baseline import Baseline
from app.monitor import Monitor
from app.segments import EVERYTHING, Segment
from app.statistics.totals import Totals
from app.windowing.panes import ClosedPane, WindowKey
from bench.statistics.drawn import Drawn
from bench.statistics.features import BinnedFeatures
from bench.statistics.setup import Setup
from bench.statistics.shortcut import totals

MODEL, VERSION = "bench", "1"
# A Monday.
START_MS = 1_767_571_200_000


def segment(place: int) -> Segment:
    return (("segment", f"s{place:02d}"),)


class Product:
    """The monitor of one model, one pane a window. `slots`: its state, as of `slots` of another one."""

    def __init__(self, setup: Setup, baseline: Baseline, slots: Mapping[str, bytes] | None = None) -> None:
        self.setup = setup
        self.baseline = baseline
        self.features = BinnedFeatures(baseline)
        self.slots: dict[str, bytes] = dict(slots or {})
        self._monitor = Monitor(MODEL, setup.settings(), self.slots)
        self._monitor.references.arrived(baseline)

    def alerts(self, number: int, drawn: Drawn) -> list[dict[str, Any]]:
        """What the window's end gives rise to."""
        start = START_MS + number * self.setup.window_s * 1000
        end = start + self.setup.window_s * 1000
        pane = ClosedPane(MODEL, start, end, self.windows(drawn), {}, {}, [], position=number)
        outcome = self._monitor.close_pane(pane)
        for name, value in outcome.state.items():
            if value is None:
                self.slots.pop(name, None)
            else:
                self.slots[name] = value
        return [message.value for message in outcome.messages if message.topic == "alerts"]

    def windows(self, drawn: Drawn) -> dict[WindowKey, Totals]:
        """All of the traffic, and its segments."""
        counts = drawn.counts
        found = {(VERSION, EVERYTHING): totals(counts.whole(), 0, self.features, self.baseline.baseline_id)}
        for place in np.flatnonzero(counts.rows).tolist():
            found[VERSION, segment(place)] = totals(counts, place, self.features, self.baseline.baseline_id)
            if drawn.relations:
                found[VERSION, segment(place)].relations = drawn.relations[1 + place]
        if drawn.relations:
            found[VERSION, EVERYTHING].relations = drawn.relations[0]
        return found

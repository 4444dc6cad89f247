"""Which baseline of a version counts when: each from the pane at its `effective_from` on, until the next one does."""

from dataclasses import dataclass

from app.config.window_settings import WindowSettings
from app.drift.baseline import Baseline

# Windows that were open when a baseline changed are still counted against the one before.
KEPT = 3


@dataclass(frozen=True, slots=True)
class Timeline:
    """The baselines of one version that are still needed, in the order in which they count.

    Whoever has heard the same records in the same order has the same one.
    """

    baselines: tuple[Baseline, ...] = ()

    def heard(self, baseline: Baseline) -> "Timeline":
        """With one record more: from its `effective_from` on it counts instead of all that came before."""
        others = [known for known in self.baselines if known.baseline_id != baseline.baseline_id]
        before = [known for known in others if _start(known) < _start(baseline)]
        return Timeline((*before, baseline)[-KEPT:])

    def spans(self, since: int = 0) -> list[tuple[int, Baseline | None]]:
        """From which pane (ms) on which baseline counts, the first one from `since` on; None where there is none."""
        counting: list[tuple[int, Baseline | None]] = [(since, None)]
        for baseline in self.baselines:
            if _start(baseline) <= since:
                counting = [(since, baseline)]
            else:
                counting.append((_start(baseline), baseline))
        return counting


NOTHING = Timeline()


def next_edge(now: int, windows: WindowSettings) -> int:
    """The edge (ms) of a window that ingest, a lateness and a pane ahead of `now`, will not have come to."""
    reached = now + windows.lateness_ms + windows.pane_ms
    length = min(windows.tumbling_ms, default=windows.pane_ms)
    return -(-reached // length) * length


def _start(baseline: Baseline) -> int:
    return 0 if baseline.effective_from is None else baseline.effective_from

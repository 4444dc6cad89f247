"""The baselines of one model: published ones, and those fitted from a version's first healthy predictions."""

from collections.abc import Set

from app.alerts.rules import HEALTHY_ERROR_RATE
from app.collecting import Collecting
from app.drift.baseline import Baseline
from app.drift.fitting import fit
from app.drift.inheriting import inherit
from app.drift.timeline import KEPT, NOTHING, Timeline, next_edge
from app.identity import version_key
from app.messages import Message
from app.segments import EVERYTHING
from app.settings import ModelSettings, WindowSettings
from app.statistics.sample import Sample
from app.statistics.totals import Totals
from app.windowing.panes import ClosedPane


class References:
    """`by_id`: the newest baselines of each version."""

    def __init__(self, model: str, collecting: Collecting, windows: WindowSettings, settings: ModelSettings) -> None:
        self.model = model
        self.settings = settings
        self.collecting = collecting
        self.windows = windows
        self.by_id: dict[str, Baseline] = {}
        self._of: dict[str, Timeline] = {}

    def arrived(self, baseline: Baseline) -> None:
        """One more of its version; nothing is collected for this version any more."""
        known = self._of.get(baseline.version, NOTHING)
        newer = self._of[baseline.version] = known.heard(baseline)
        # What was counted against one that counts no longer is still to be compared with it.
        kept = {baseline.baseline_id, *(one.baseline_id for one in (*known.baselines, *newer.baselines)[-KEPT:])}
        own = {name for name, one in self.by_id.items() if one.version == baseline.version}
        self.by_id[baseline.baseline_id] = baseline
        for old in own - kept:
            del self.by_id[old]
        self.collecting.drop(baseline.version)

    def current_id(self, version: str, now: int) -> str | None:
        """The baseline of a version that counts at `now`."""
        _, baseline = self._of.get(version, NOTHING).spans(now)[0]
        return None if baseline is None else baseline.baseline_id

    def quiet_hours(self, version: str, now: int) -> Set[int]:
        """Hours of the week without traffic, as the baseline that counts at `now` has them."""
        _, baseline = self._of.get(version, NOTHING).spans(now)[0]
        return frozenset() if baseline is None or baseline.rhythm is None else baseline.rhythm.quiet_hours

    def collect(self, pane: ClosedPane) -> list[Message]:
        """Takes in a pane's sample rows; the baselines that are complete with them or inherited, to be published."""
        found = []
        for version, rows in sorted(pane.samples.items()):
            if version in self._of:
                continue
            baseline = self._inherited(version, pane.end)
            if baseline is None and _healthy(pane.windows[version, EVERYTHING]):
                sample = self.collecting.add(version, pane.end, rows)
                baseline = None if sample is None else self._fit(version, sample, pane.end)
            if baseline is not None:
                self.arrived(baseline)
                found.append(Message("baselines", version_key(self.model, version), baseline.to_record()))
        return found

    def _inherited(self, version: str, now: int) -> Baseline | None:
        """Where the settings say so, what the newest version that has a baseline is compared with at `now`."""
        if not self.settings.baseline.inherit:
            return None
        counting = [baseline for own in self._of.values() if (baseline := own.spans(now)[0][1]) is not None]
        newest = max(counting, key=lambda one: (one.created_at, one.version), default=None)
        return None if newest is None else inherit(newest, version, now, next_edge(now, self.windows))

    def _fit(self, version: str, sample: Sample, now: int) -> Baseline:
        return fit(
            self.model,
            version,
            sample.data(),
            created_at=now,
            origin="stream",
            effective_from=next_edge(now, self.windows),
            text=self.settings.text,
            sample_rows=self.settings.baseline.sample_rows,
        )


def _healthy(totals: Totals) -> bool:
    return totals.errors <= HEALTHY_ERROR_RATE * totals.predictions

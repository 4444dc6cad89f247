"""The baselines of one model: published ones, and those fitted from a version's first healthy predictions."""

from app.collecting import Collecting
from app.drift.baseline import Baseline
from app.drift.fitting import ReferenceData, fit
from app.identity import version_key
from app.messages import Message
from app.panes import ClosedPane
from app.rules import HEALTHY_ERROR_RATE
from app.segments import EVERYTHING
from app.settings import ModelSettings, WindowSettings
from app.statistics.sample import Sample
from app.statistics.totals import Totals

# Windows that were open when a baseline changed are still counted against the one before.
KEPT = 2


class References:
    """`by_id`: the newest baselines of each version."""

    def __init__(self, model: str, collecting: Collecting, windows: WindowSettings, settings: ModelSettings) -> None:
        self.model = model
        self.settings = settings
        self.collecting = collecting
        self.windows = windows
        self.by_id: dict[str, Baseline] = {}
        self._of: dict[str, list[str]] = {}

    def arrived(self, baseline: Baseline) -> None:
        """The newest one of its version; nothing is collected for this version any more."""
        ids = self._of.setdefault(baseline.version, [])
        if baseline.baseline_id in ids:
            ids.remove(baseline.baseline_id)
        ids.append(baseline.baseline_id)
        self.by_id[baseline.baseline_id] = baseline
        for old in ids[:-KEPT]:
            del self.by_id[old]
        del ids[:-KEPT]
        self.collecting.drop(baseline.version)

    def current_id(self, version: str, now: int) -> str | None:
        """The newest baseline of a version; one that was fitted from the stream is not known before that."""
        known = [self.by_id[name] for name in self._of.get(version, ())]
        told = [one.baseline_id for one in known if one.origin != "stream" or one.created_at <= now]
        return told[-1] if told else None

    def collect(self, pane: ClosedPane) -> list[Message]:
        """Takes in a pane's sample rows; the baselines that are complete with them, to be published."""
        fitted = []
        for version, rows in sorted(pane.samples.items()):
            if version in self._of or not _healthy(pane.windows[version, EVERYTHING]):
                continue
            if (sample := self.collecting.add(version, pane.end, rows)) is not None:
                baseline = self._fit(version, sample, pane.end)
                self.arrived(baseline)
                fitted.append(Message("baselines", version_key(self.model, baseline.version), baseline.to_record()))
        return fitted

    def _fit(self, version: str, sample: Sample, now: int) -> Baseline:
        return fit(
            self.model,
            version,
            ReferenceData(sample.features, sample.predictions),
            created_at=now,
            origin="stream",
            effective_from=self._next_edge(now),
            text=self.settings.text,
            sample_rows=self.settings.baseline.sample_rows,
        )

    def _next_edge(self, now: int) -> int:
        """The edge of a window before which ingest, a lateness ahead, will not have come."""
        reached = now + self.windows.lateness_ms + self.windows.pane_ms
        length = min(self.windows.tumbling_ms, default=self.windows.pane_ms)
        return -(-reached // length) * length


def _healthy(totals: Totals) -> bool:
    return totals.errors <= HEALTHY_ERROR_RATE * totals.predictions

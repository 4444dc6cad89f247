"""Everything about one model that may be worth an alert: rules over windows, silence, versions that come and go."""

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any

from app.alerts.evidences import Evidences
from app.alerts.incidents import Episode
from app.alerts.judge import Judge
from app.alerts.rhythm import WINDOWS, least_patience_ms
from app.alerts.rules import Reading
from app.alerts.silence import Silence
from app.alerts.stalled import Stalled, StalledAlert
from app.alerts.versions import Versions
from app.detection.budget import Budget
from app.segments import EVERYTHING
from app.settings import FalseAlarmSettings, ModelSettings
from app.windowing.panes import ClosedPane

Alerts = list[dict[str, Any]]
NO_OTHER = FalseAlarmSettings()
QuietHours = Callable[[str, int], Set[int]]
"""Of a version at a time (ms)."""


def never(_version: str, _now: int) -> Set[int]:
    """No hour is quiet."""
    return frozenset()


class Watch:
    """Alerts of one model, to be published in their order. `state`: as `state()` gave it."""

    def __init__(
        self,
        model: str,
        settings: ModelSettings,
        shortest_window_ms: int,
        stalled_after_ms: int,
        state: Mapping[str, Any] | None = None,
        false_alarms: FalseAlarmSettings = NO_OTHER,
        evidences: Evidences | None = None,
    ) -> None:
        state = state or {}
        budget = Budget(false_alarms.alerts, false_alarms.days, shortest_window_ms)
        self.judge = Judge(model, settings, state.get("judge"), budget, evidences)
        self.silence = Silence(model, least_patience_ms(shortest_window_ms), state.get("silence"))
        # Where others are asked all the same, a version needs no minute of grace to be known as superseded.
        self.stalled = StalledAlert(model, stalled_after_ms, state.get("stalled"))
        self.versions = Versions(WINDOWS * shortest_window_ms, state.get("versions"))

    def state(self) -> dict[str, Any]:
        return {
            "judge": self.judge.state(),
            "silence": self.silence.state(),
            "stalled": self.stalled.state(),
            "versions": self.versions.state(),
        }

    def due(self) -> int | None:
        """When time alone brings the next alert."""
        return self.silence.due()

    def hear(self, pane: ClosedPane, quiet_hours: QuietHours = never) -> Alerts:
        """Takes in which versions were asked in a pane. `quiet_hours`: see `References.quiet_hours`."""
        asked = {
            version: totals.predictions
            for (version, segment), totals in pane.windows.items()
            if segment == EVERYTHING and totals.predictions
        }
        for version in asked:
            self.versions.heard(pane.start, pane.end, version)
        if not asked:
            return []
        main = max(asked, key=lambda version: (asked[version], version))
        ended = self.silence.heard(pane.start, pane.end, main, quiet_hours(main, pane.start))
        return [ended] if ended else []

    def read(self, readings: Sequence[Reading], now: int) -> Alerts:
        """The windows of one length that end now. Versions that nobody asks any more are not judged by late labels."""
        superseded = self._review(now)
        return superseded + self.judge.windows(r for r in readings if r.version not in self.versions.superseded)

    def pass_time(self, now: int) -> Alerts:
        """Silence falls, or is given up with all that was open, if it is time."""
        due = self.silence.due()
        if due is None or due > now:
            return []
        alerts = [self.silence.fall()]
        if self.silence.alert is None:
            for version in sorted(self.versions.known()):
                alerts += self.judge.end(version, now, "nothing came for a week")
        return alerts

    def stand(self, stalled: Stalled | None, watermark: int | None, version: str) -> Alerts:
        """Event time stands still, or goes on. `version`: any, until one is heard of."""
        alert = self.stalled.hear(stalled, watermark, self.silence.version or version)
        return [alert] if alert else []

    def open(self) -> list[Episode]:
        """The incidents of rules that are open, oldest first."""
        return self.judge.incidents.open()

    def open_alerts(self) -> Alerts:
        alerts = [*(episode.alert for episode in self.open()), self.silence.alert, self.stalled.alert]
        return [alert for alert in alerts if alert is not None]

    def _review(self, now: int) -> Alerts:
        """What is over with versions that serve no longer; those of long ago are forgotten."""
        known = self.versions.known()
        superseded = self.versions.review(now)
        if forgotten := known - self.versions.known():
            self.judge.forget(forgotten)
        return [alert for version in superseded for alert in self.judge.end(version, now, "the version is superseded")]

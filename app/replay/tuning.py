"""What other false-alarm budgets would have given: more watches over the same windows, beside the one that holds."""

from collections.abc import Mapping, Sequence

from app.alerts.rules import Reading
from app.alerts.watch import Alerts, QuietHours, Watch, never
from app.messages import Message
from app.monitor import Monitor
from app.replay.history import History
from app.settings import FalseAlarmSettings, Settings
from app.windowing.panes import ClosedPane

# Of the configured budget.
FACTORS = (0.1, 0.3, 1, 3, 10, 30)


class Tuning:
    """A watch for each of several budgets. `histories`: by the alerts of a budget, over its days."""

    def __init__(self, monitor: Monitor, settings: Settings, factors: Sequence[float] = FACTORS) -> None:
        self.days = settings.false_alarms.days
        self.histories: dict[float, History] = {}
        watches: dict[float, Watch] = {}
        for factor in factors:
            budget = FalseAlarmSettings(alerts=settings.false_alarms.alerts * factor, days=self.days)
            other = Monitor(monitor.model, settings.model_copy(update={"false_alarms": budget}), {})
            self.histories[budget.alerts], watches[budget.alerts] = History(most=0), other.watch
        monitor.watch = _Watches(monitor.watch, watches, self.histories)


class _Watches(Watch):
    """The watch that holds; the `others` are told the same, and their alerts only counted."""

    def __init__(self, holding: Watch, others: Mapping[float, Watch], histories: Mapping[float, History]) -> None:
        # It goes on as that watch, with all that it remembers.
        vars(self).update(vars(holding))
        self._others = [(watch, histories[alerts]) for alerts, watch in others.items()]

    def hear(self, pane: ClosedPane, quiet_hours: QuietHours = never) -> Alerts:
        for watch, history in self._others:
            _count(watch.hear(pane, quiet_hours), history)
        return super().hear(pane, quiet_hours)

    def read(self, readings: Sequence[Reading], now: int) -> Alerts:
        for watch, history in self._others:
            _count(watch.read(readings, now), history)
        return super().read(readings, now)

    def pass_time(self, now: int) -> Alerts:
        for watch, history in self._others:
            _count(watch.pass_time(now), history)
        return super().pass_time(now)


def _count(alerts: Alerts, history: History) -> None:
    history.take(Message("alerts", "", alert) for alert in alerts)

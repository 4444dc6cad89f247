"""One model: closed panes -> windows, alerts, retraining requests, baselines, and the state to go on from.

Time is event time, and decisions fall at its edges: the end of a window, the moment when silence falls, a revision of a
cohort. Whatever panes close together or one by one, with or without ticks between them, the edges are passed in the
same order with the same data before them; so a replay repeats what the first run published.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from app.admission import Admission
from app.alerts.evidences import Evidences
from app.alerts.stalled import Stalled, patience_ms
from app.alerts.watch import Watch
from app.collecting import Collecting
from app.drift.baseline import Baseline
from app.estimates.versions import Estimates
from app.example_index import ExampleIndex
from app.figures import baseline_of, figures, reading
from app.messages import Message
from app.outcome import DECISIONS
from app.outcome import Outcome as Outcome
from app.references import References
from app.retraining import Retraining
from app.settings import Settings
from app.snapshot import MonitorSnapshot, Tally
from app.windowing.cohorts import Cohorts
from app.windowing.panes import ClosedPane
from app.windowing.windows import Window, Windows, record


class Monitor:
    """One model. `state`: its slots, as the outcomes before gave them."""

    def __init__(self, model: str, settings: Settings, state: Mapping[str, bytes]) -> None:
        own = settings.model(model)
        known: dict[str, Any] = orjson.loads(state[DECISIONS]) if DECISIONS in state else {}
        self.model = model
        self.settings = settings.windows
        self.shortest_ms = min(self.settings.tumbling_ms, default=self.settings.pane_ms)
        self.clock: int | None = known.get("clock")
        self.position: int = known.get("position", -1)
        self.windows = Windows(self.settings, state)
        self.cohorts = Cohorts(settings, state)
        self.admission = Admission(own.max_segments, known.get("segments", ()))
        self.references = References(model, Collecting(own.baseline.first_events, state), self.settings, own)
        self.estimates = Estimates(own.positive, known.get("estimates"))
        self.evidences = Evidences(state, self.clock, own.detectors)
        self.watch = Watch(
            model,
            own,
            self.shortest_ms,
            patience_ms(self.settings),
            known.get("watch"),
            settings.false_alarms,
            self.evidences,
        )
        self.examples = ExampleIndex(settings.labels.horizon_ms, known.get("examples"))
        self.retraining = Retraining(model, own.retraining, self.references.current_id, known.get("retraining"))
        self.tally = Tally()
        if self.clock is not None:
            self.windows.drop(self.clock)
            self.cohorts.drop(self.clock)

    @property
    def closed_through(self) -> int | None:
        """Event time (ms) before which all is closed; None when nothing was yet."""
        return self.clock

    def close_pane(self, pane: ClosedPane) -> Outcome:
        """Adds the pane, and what is due by its end happens. A pane that is closed already changes nothing."""
        return self.close_panes([pane])

    def close_panes(self, panes: Sequence[ClosedPane]) -> Outcome:
        """The same for several, in order of time; each slot of the state is stored once."""
        messages: list[Message] = []
        new = [pane for pane in panes if self.clock is None or pane.end > self.clock]
        for pane in new:
            self.clock = pane.start if self.clock is None else self.clock
            messages += self._until(pane.start)
            messages += self._add(pane)
            messages += self._until(pane.end)
            messages += self._ask(pane.end)
        return self._outcome(messages, max(pane.position for pane in new)) if new else Outcome()

    def advance(self, watermark_ms: int, position: int) -> Outcome:
        """The watermark has come so far, and all panes before it are closed: what time alone brings about."""
        edge = watermark_ms - self.settings.lateness_ms
        edge -= edge % self.settings.pane_ms
        if self.clock is None or (due := self._next_edge()) is None or due > edge:
            return Outcome()
        return self._outcome(self._until(edge), position)

    def stand(self, stalled: Stalled | None, watermark_ms: int | None, version: str, position: int) -> Outcome:
        """Event time stands still for long, or is where the watermark says. `version`: see `Watch.stand`."""
        alerts = self.watch.stand(stalled, watermark_ms, version)
        return self._outcome(self._alerts(alerts), position) if alerts else Outcome()

    def baseline_arrived(self, baseline: Mapping[str, Any]) -> None:
        """Takes in a record of `baselines`. Raises ValueError or KeyError when it is none."""
        self.references.arrived(Baseline.from_record(baseline))

    def snapshot(self) -> MonitorSnapshot:
        """What there is to show now; later changes do not show in it."""
        return MonitorSnapshot(
            model=self.model,
            windows=self.tally.windows(),
            incidents=tuple(self.watch.open_alerts()),
            alerts=dict(self.tally.alerts),
            retraining_requests=dict(self.tally.requests),
            segments_left_out=self.admission.left_out,
            expired=self.cohorts.expired,
        )

    def _add(self, pane: ClosedPane) -> list[Message]:
        fitted = self.references.collect(pane)
        segments = [*(key[1] for key in pane.windows), *(key[1] for key in pane.cohorts)]
        followed = self.admission.admit(segments, pane.start)
        windows = {key: totals for key, totals in pane.windows.items() if key[1] in followed}
        cohorts = {key: totals for key, totals in pane.cohorts.items() if key[1] in followed}
        self.windows.add(pane.start, pane.end, windows)
        self.cohorts.add(pane.start, pane.end, cohorts)
        self.examples.add(pane.start, pane.end, pane.examples)
        if pane.examples:
            self.retraining.labelled(pane.end)
        return fitted + self._alerts(self.watch.hear(pane, self.references.quiet_hours))

    def _until(self, time: int) -> list[Message]:
        """Passes all edges up to `time`, one by one."""
        messages: list[Message] = []
        assert self.clock is not None
        while (due := self._next_edge()) is not None and due <= time:
            self.clock = max(due, self.clock)
            messages += self._edge(self.clock)
        self.clock = max(time, self.clock)
        return messages

    def _next_edge(self) -> int | None:
        assert self.clock is not None
        edges = (self.windows.next_end(self.clock), self.cohorts.next_due(), self.watch.due(), self.retraining.due())
        return min((edge for edge in edges if edge is not None), default=None)

    def _edge(self, now: int) -> list[Message]:
        messages = self._windows(self.windows.ending(now), now)
        messages += self._alerts(self.watch.pass_time(now))
        for window in self.cohorts.due(now):
            messages.append(self._publish(window, baseline_of(window, self.references.by_id)))
        if (due := self.retraining.due()) is not None and due <= now:
            messages += self._requests(self.retraining.scheduled(now, self.watch.silence.version, self.examples))
        return messages

    def _windows(self, windows: list[Window], now: int) -> list[Message]:
        """Publishes the windows that end now; the shortest tumbling ones are judged and shown."""
        messages, readings, shortest = [], [], []
        for window in windows:
            baseline = baseline_of(window, self.references.by_id)
            judged = window.kind == "tumbling" and window.end - window.start == self.shortest_ms
            if judged:
                self.estimates.begin(window.version, baseline)
            message = self._publish(window, baseline, windows)
            messages.append(message)
            if judged:
                self.tally.window(window, message.value)
                shortest.append(window)
                readings.append(reading(window, message.value, baseline, self.estimates))
        if readings:
            self.estimates.learn(shortest)
            self.tally.forget(now)
            messages += self._alerts(self.watch.read(readings, now))
        return messages

    def _ask(self, now: int) -> list[Message]:
        return self._requests(self.retraining.consider(now, self.watch.open(), self.examples))

    def _publish(self, window: Window, baseline: Baseline | None, together: Sequence[Window] = ()) -> Message:
        told = figures(window, baseline, self.estimates, together)
        return Message("windows", self.model, record(self.model, window, told))

    def _alerts(self, alerts: Iterable[dict[str, Any]]) -> list[Message]:
        messages = [Message("alerts", self.model, alert) for alert in alerts]
        for message in messages:
            self.tally.alert(message.value)
        return messages

    def _requests(self, request: dict[str, Any] | None) -> list[Message]:
        if request is None:
            return []
        self.tally.request(request)
        return [Message("retraining-requests", self.model, request)]

    def _outcome(self, messages: list[Message], position: int) -> Outcome:
        self.position = max(self.position, position)
        sums: dict[str, bytes | None] = {}
        gone: dict[str, bytes | None] = {}
        for part in (self.windows, self.cohorts, self.references.collecting, self.evidences):
            values, dropped = part.changes(self.position)
            sums |= values
            gone |= dict.fromkeys(dropped)
        return Outcome(messages, sums | {DECISIONS: self._decisions()} | gone, self.position)

    def _decisions(self) -> bytes:
        return orjson.dumps(
            {
                "position": self.position,
                "clock": self.clock,
                "segments": self.admission.state(),
                "watch": self.watch.state(),
                "estimates": self.estimates.state(),
                "examples": self.examples.state(),
                "retraining": self.retraining.state(),
            }
        )

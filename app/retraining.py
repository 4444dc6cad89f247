"""When a model asks to be retrained: for an incident, once per episode, or by schedule."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app import cron
from app.alerts.incidents import Episode
from app.example_index import ExampleIndex, Stretch
from app.identity import identifier
from app.schedule import next_match
from app.settings import RetrainingSettings
from app.timestamps import rfc3339

# Of several incidents the one that does most harm is the trigger.
URGENCY = ("performance", "data_quality", "drift")
# Without a policy only the rules that say so ask for retraining.
NO_POLICY = RetrainingSettings(on=[])

BaselineId = Callable[[str, int], str | None]


class Retraining:
    """The policy of one model. `state`: as `state()` gave it. Times in ms of event time."""

    def __init__(
        self,
        model: str,
        policy: RetrainingSettings | None,
        baseline_id: BaselineId,
        state: Mapping[str, Any] | None = None,
    ) -> None:
        state = state or {}
        self.model = model
        self.policy = policy or NO_POLICY
        self.baseline_id = baseline_id
        self._cron = None if self.policy.schedule is None else cron.parse(self.policy.schedule)
        self.requested_at: int | None = state.get("requested_at")
        self.answered: list[str] = state.get("answered", [])
        """Open alerts that a request was made for."""
        self._due: int | None = state.get("due")

    def state(self) -> dict[str, Any]:
        return {"requested_at": self.requested_at, "answered": self.answered, "due": self._due}

    def due(self) -> int | None:
        """When the schedule matches next, if labels have come since it last did."""
        return self._due

    def labelled(self, time: int) -> None:
        """New examples became known at `time`."""
        if self._due is None and self._cron is not None:
            self._due = next_match(self._cron, time)

    def consider(self, now: int, incidents: Sequence[Episode], index: ExampleIndex) -> dict[str, Any] | None:
        """The request that open incidents make now, if one is due: enough labels since they began, and no cooldown."""
        alerts = {episode.alert["alert_id"]: episode for episode in incidents if episode.alert is not None}
        self.answered = [alert_id for alert_id in self.answered if alert_id in alerts]
        asking = {
            alert_id: trigger
            for alert_id, episode in alerts.items()
            if alert_id not in self.answered
            and (trigger := self._trigger(episode)) is not None
            and index.rows_since(episode.since) >= self.policy.min_labels
        }
        if not asking or self._cooling(now):
            return None
        first = min(asking, key=lambda alert_id: (URGENCY.index(asking[alert_id]), alerts[alert_id].since, alert_id))
        stretch = index.since(min(alerts[alert_id].since for alert_id in asking), self.policy.min_labels)
        assert stretch is not None
        self.answered = sorted({*self.answered, *asking})
        alert = alerts[first].alert or {}
        reason = f"{alert['rule']}: {alert['summary']}"
        return self._request(now, alerts[first].version, asking[first], reason, stretch, sorted(asking), first)

    def scheduled(self, now: int, version: str, index: ExampleIndex) -> dict[str, Any] | None:
        """The schedule matches: the request, unless there is too little to learn from or one was just made."""
        due, self._due = self._due, None
        stretch = index.since(0)
        if stretch is None or stretch.rows < self.policy.min_labels or self._cooling(now):
            return None
        reason = f"schedule {self.policy.schedule}"
        return self._request(now, version, "schedule", reason, stretch, [], due)

    def _trigger(self, episode: Episode) -> str | None:
        if episode.kind in self.policy.on:
            return episode.kind
        return (episode.kind or "performance") if episode.retrain else None

    def _cooling(self, now: int) -> bool:
        return self.requested_at is not None and now - self.requested_at < self.policy.cooldown_ms

    def _request(
        self, now: int, version: str, trigger: str, reason: str, data: Stretch, alert_ids: list[str], cause: Any
    ) -> dict[str, Any]:
        self.requested_at = now
        return {
            "request_id": identifier(self.model, version, trigger, cause),
            "model": self.model,
            "version": version,
            "trigger": trigger,
            "reason": reason,
            "alert_ids": alert_ids,
            "requested_at": rfc3339(now),
            "data": {
                "topic": "examples",
                "offsets": data.offsets,
                "start": rfc3339(data.start),
                "end": rfc3339(data.end),
            },
            "baseline_id": self.baseline_id(version, now),
        }

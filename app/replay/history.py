"""What a replay comes to: the incidents that would have been, and how much of what was published."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.messages import Message
from app.timestamps import milliseconds

SILENCE = "silence"
SEVERITIES = ("critical", "warning", "info")
# More incidents than that nobody reads; they are counted all the same.
MOST_SHOWN = 200


@dataclass(slots=True)
class Incident:
    """One episode. `severity`: the worst that it was; `end`: None while it is open. The rest is as it was told last
    before its end: what is over says nothing of how bad it was."""

    start: int
    end: int | None
    severity: str
    version: str
    segment: Mapping[str, str]
    rule: str
    metric: str
    value: float | None
    summary: str

    @property
    def length_ms(self) -> int | None:
        return None if self.end is None else self.end - self.start


class History:
    """Counts what is published, and makes incidents of alerts. `incidents`: by id, as they began."""

    def __init__(self, most: int = MOST_SHOWN) -> None:
        self.incidents: dict[str, Incident] = {}
        self.begun: Counter[str] = Counter()
        """Incidents by the worst severity that each was."""
        self.windows = 0
        self.requests = 0
        self._most = most
        self._worst: dict[str, str] = {}
        self._silence: Mapping[str, Any] | None = None

    def take(self, messages: Iterable[Message]) -> None:
        for message in messages:
            if message.topic == "alerts":
                self._alert(message.value)
            self.windows += message.topic == "windows"
            self.requests += message.topic == "retraining-requests"

    def end(self, last_prediction: int) -> None:
        """The file has ended: silence after its last prediction (ms) is the file's own, and no incident."""
        if self._silence is not None and milliseconds(self._silence["starts_at"]) >= last_prediction:
            self.begun[self._silence["severity"]] -= 1
            self.incidents.pop(self._silence["alert_id"], None)
            self._silence = None

    @property
    def left_out(self) -> int:
        """Incidents that are counted, and not among `incidents`."""
        return self.begun.total() - len(self.incidents)

    def _alert(self, alert: Mapping[str, Any]) -> None:
        identity, over = alert["alert_id"], alert["state"] == "resolved"
        self._count(identity, alert["severity"], over)
        if alert["rule"] == SILENCE:
            self._silence = alert
        known = self.incidents.get(identity)
        if known is None and len(self.incidents) < self._most:
            known = self.incidents[identity] = _incident(alert)
        if known is None:
            return
        known.severity = _worse(known.severity, alert["severity"])
        if over:
            known.end = milliseconds(alert["ends_at"])
        else:
            known.value, known.summary = alert["value"], alert["summary"]

    def _count(self, identity: str, severity: str, over: bool) -> None:
        """Only of open incidents anything is remembered."""
        before = self._worst.pop(identity, None)
        worst = severity if before is None else _worse(before, severity)
        if worst != before:
            self.begun[worst] += 1
            if before is not None:
                self.begun[before] -= 1
        if not over:
            self._worst[identity] = worst


def _worse(one: str, other: str) -> str:
    return min(one, other, key=SEVERITIES.index)


def _incident(alert: Mapping[str, Any]) -> Incident:
    return Incident(
        start=milliseconds(alert["starts_at"]),
        end=None,
        severity=alert["severity"],
        version=alert["version"],
        segment=alert["segment"],
        rule=alert["rule"],
        metric=alert["metric"],
        value=alert["value"],
        summary=alert["summary"],
    )

"""Incidents: one episode of a rule that is broken, from its first bad window to its last good one.

An episode opens after as many bad windows in a row as the rule says, is told again when it becomes clearly worse or of
another severity, and closes after enough good ones. Its id comes from when it began, so a replay opens the same one.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from app.alerts.rules import Reading, Verdict
from app.identity import identifier
from app.segments import Segment, as_object
from app.timestamps import rfc3339

# An open episode is told again when its value has moved from the bound by this much more than when it was last told.
STEP = 0.5
# ... or by this share of the bound, where the value was next to it.
LEAST_STEP = 0.1


@dataclass(frozen=True, slots=True)
class Watched:
    """What is watched: `rule` over a version and segment. `kind`: what it asks retraining for, if anything."""

    rule: str
    metric: str
    version: str
    segment: Segment
    kind: str | None = None
    retrain: bool = False

    def fingerprint(self, model: str) -> str:
        return identifier(model, self.version, self.rule, as_object(self.segment))


@dataclass(slots=True)
class Episode:
    """How far a rule is from firing or from being over. `since`: start (ms) of the first bad window of the streak.

    `alert`: what was published last while it is open, else None.
    """

    version: str
    bad: int = 0
    good: int = 0
    since: int = 0
    kind: str | None = None
    retrain: bool = False
    alert: dict[str, Any] | None = None


class Incidents:
    """The episodes of one model. `state`: as `state()` gave it."""

    def __init__(self, model: str, state: Mapping[str, Any] | None = None) -> None:
        self.model = model
        self.episodes: dict[str, Episode] = {name: Episode(**episode) for name, episode in (state or {}).items()}

    def state(self) -> dict[str, Any]:
        return {name: asdict(episode) for name, episode in sorted(self.episodes.items())}

    def open(self) -> list[Episode]:
        """Open episodes, oldest first."""
        found = [(name, episode) for name, episode in self.episodes.items() if episode.alert is not None]
        return [episode for _, episode in sorted(found, key=lambda item: (item[1].since, item[0]))]

    def of(self, watched: Watched) -> dict[str, Any] | None:
        """The alert that is open for it."""
        episode = self.episodes.get(watched.fingerprint(self.model))
        return episode.alert if episode is not None else None

    def observe(
        self,
        watched: Watched,
        reading: Reading,
        verdict: Verdict,
        *,
        fires_after: int,
        resolves_after: int,
        parent: str | None = None,
    ) -> dict[str, Any] | None:
        """Takes in the verdict on a window, and gives the alert to be published, if there is one."""
        name = watched.fingerprint(self.model)
        episode = self.episodes.get(name)
        if episode is None:
            if verdict.bad is not True:
                return None
            episode = self.episodes[name] = Episode(watched.version)
        _count(episode, verdict, reading.start)
        if episode.alert is None:
            if episode.bad >= fires_after:
                episode.kind, episode.retrain = watched.kind, watched.retrain
                episode.alert = self._alert(watched, episode.since, reading, verdict, "firing", parent)
                return episode.alert
            if not episode.bad:
                del self.episodes[name]
            return None
        if episode.good >= resolves_after:
            del self.episodes[name]
            return self._alert(watched, episode.since, reading, verdict, "resolved", parent, episode.alert)
        if verdict.bad and _tell_again(episode.alert, verdict):
            episode.alert = self._alert(watched, episode.since, reading, verdict, "updated", parent, episode.alert)
            return episode.alert
        return None

    def end(self, version: str, now: int, reason: str) -> list[dict[str, Any]]:
        """Ends all episodes of a version that is watched no longer, and gives the alerts that say so."""
        ended = []
        for name in [name for name, episode in self.episodes.items() if episode.version == version]:
            alert = self.episodes.pop(name).alert
            if alert is not None:
                ended.append((alert["starts_at"], name, resolved(alert, now, reason)))
        return [alert for _, _, alert in sorted(ended, key=lambda item: item[:2])]

    def _alert(
        self,
        watched: Watched,
        since: int,
        reading: Reading,
        verdict: Verdict,
        state: str,
        parent: str | None,
        before: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        place = f"{self.model} {watched.version}" + "".join(f", {name} {value}" for name, value in watched.segment)
        summary = f"{watched.rule} is over: {verdict.sentence}" if state == "resolved" else verdict.sentence
        return {
            "alert_id": identifier(self.model, watched.version, watched.rule, as_object(watched.segment), since),
            "fingerprint": watched.fingerprint(self.model),
            "state": state,
            "severity": before["severity"] if before and state == "resolved" else verdict.severity,
            "model": self.model,
            "version": watched.version,
            "segment": as_object(watched.segment),
            "rule": watched.rule,
            "metric": watched.metric,
            "value": verdict.value,
            "threshold": verdict.threshold,
            "starts_at": rfc3339(since),
            "ends_at": rfc3339(reading.end) if state == "resolved" else None,
            "window_start": rfc3339(reading.start),
            "window_end": rfc3339(reading.end),
            "summary": f"{place}: {summary}.",
            "evidence": {"window_id": reading.window_id, **_counts(reading), **verdict.evidence},
            "parent": parent or (before["parent"] if before else None),
        }


def resolved(alert: Mapping[str, Any], now: int, reason: str) -> dict[str, Any]:
    """The alert that ends an open one for another reason than a good window."""
    place = f"{alert['model']} {alert['version']}"
    return {
        **alert,
        "state": "resolved",
        "ends_at": rfc3339(now),
        "summary": f"{place}: {alert['rule']} is over, {reason}.",
        "evidence": {**alert["evidence"], "reason": reason},
    }


def _count(episode: Episode, verdict: Verdict, start: int) -> None:
    """Streaks: a window that is neither bad nor good leaves both as they are."""
    if verdict.bad:
        episode.since = episode.since if episode.bad or episode.alert else start
        episode.bad += 1
        episode.good = 0
    elif verdict.bad is False:
        episode.good += 1
        episode.bad = 0


def _tell_again(alert: Mapping[str, Any], verdict: Verdict) -> bool:
    if verdict.severity != alert["severity"]:
        return True
    told: float = abs(alert["value"] - alert["threshold"])
    now = abs(verdict.value - verdict.threshold)
    return now - told > max(STEP * told, LEAST_STEP * abs(verdict.threshold))


def _counts(reading: Reading) -> dict[str, int]:
    return {"predictions": reading.predictions, "labels": reading.labels}

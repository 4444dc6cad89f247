"""What the demo tells: from healthy over drift, incident and retraining to a new version that mends it.

Made of what the simulated serving system says of itself and of the messages on `windows`, `alerts`,
`retraining-requests` and `model-versions`; times are the simulated ones, in ms.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from app.timestamps import milliseconds

Record = dict[str, Any]

PHASES = ("starting", "healthy", "drifting", "incident", "retraining", "new version", "recovered")
# Recovered: as good as before but for this, in at least so many windows.
TOLERANCE = 0.04
LEAST_WINDOWS = 2
# Windows with fewer labels (the first one, the last ones of a version) say little.
LEAST_LABELS = 50
# Labels of the time before are still coming so long after a change.
LABELS_ON_THE_WAY_MS = 5000


@dataclass(frozen=True, slots=True)
class Point:
    """One tumbling window of all traffic of a version; `accuracy` None where it had too few labels."""

    version: str
    start: int
    end: int
    predictions: int
    labels: int
    accuracy: float | None


@dataclass(slots=True)
class Chapter:
    """One change of the world and what followed. `serving`: the version it harmed."""

    changed_ms: int
    serving: str
    deployed_ms: int | None = None
    version: str | None = None


@dataclass(slots=True)
class Story:
    """What has happened so far."""

    model: str
    era: str = ""
    serving: str | None = None
    sent: dict[str, int] = field(default_factory=lambda: {"predictions": 0, "labels": 0})
    began_ms: int | None = None
    window_ids: set[str] = field(default_factory=set)
    points: list[Point] = field(default_factory=list)
    latest: dict[str, Record] = field(default_factory=dict)
    segments: dict[tuple[str, str], Record] = field(default_factory=dict)
    alerts: dict[str, Record] = field(default_factory=dict)
    requests: dict[str, Record] = field(default_factory=dict)
    versions: dict[str, Record] = field(default_factory=dict)
    chapters: list[Chapter] = field(default_factory=list)

    def said(self, event: Record) -> None:
        """What the serving system tells: serving, sent, changed, deployed."""
        kind = event["event"]
        if kind == "sent":
            self.sent = {name: event[name] for name in ("predictions", "labels")}
        elif kind == "serving":
            self.serving, self.era, self.began_ms = event["version"], event["era"], event["time_ms"]
        elif kind == "changed":
            self.era = event["era"]
            self.chapters.append(Chapter(event["time_ms"], self.serving or ""))
        elif kind == "deployed":
            self.serving = event["version"]
            if self.chapters and self.chapters[-1].version is None:
                self.chapters[-1].version, self.chapters[-1].deployed_ms = event["version"], event["time_ms"]

    def window(self, record: Record) -> None:
        if record["model"] != self.model:
            return
        again = record["window_id"] in self.window_ids
        self.window_ids.add(record["window_id"])
        if again or record["kind"] != "tumbling":
            return
        for name, value in record["segment"].items():
            self.segments[name, value] = record
        if not record["segment"]:
            self.latest[record["version"]] = record
            self.points.append(_point(record))

    def alert(self, record: Record) -> None:
        if record["model"] == self.model:
            self.alerts[record["alert_id"]] = record

    def request(self, record: Record) -> None:
        if record["model"] == self.model:
            self.requests[record["request_id"]] = record

    def version(self, record: Record) -> None:
        if record["model"] == self.model:
            self.versions[record["version"]] = record

    @property
    def open_alerts(self) -> list[Record]:
        return [alert for alert in self.alerts.values() if alert["state"] != "resolved"]

    @property
    def phase(self) -> str:
        if not any(point.accuracy is not None for point in self.points):
            return "starting"
        if not self.chapters:
            return "healthy"
        if self.recovered:
            return "recovered"
        if self.chapters[-1].version is not None:
            return "new version"
        if self._asked:
            return "retraining"
        return "incident" if self._incident else "drifting"

    @property
    def _asked(self) -> bool:
        """Retraining was asked for since the change, and is not done, or the new version is not served yet."""
        rejected = {record.get("request_id") for record in self.versions.values() if record["status"] == "rejected"}
        changed = self.chapters[-1].changed_ms
        return any(
            milliseconds(request["requested_at"]) >= changed and name not in rejected
            for name, request in self.requests.items()
        )

    @property
    def _incident(self) -> bool:
        changed = self.chapters[-1].changed_ms
        return any(milliseconds(alert["window_end"]) > changed for alert in self.open_alerts)

    @property
    def recovered(self) -> bool:
        """The last change's harm is over: the new version is as good as the old one was, and its incident closed."""
        if not self.chapters:
            return False
        return self._mended(self.chapters[-1])

    @property
    def closed(self) -> bool:
        """The loop has closed at least once."""
        return any(self._mended(chapter) for chapter in self.chapters)

    def _mended(self, chapter: Chapter) -> bool:
        before, after = accuracy(self._before(chapter)), accuracy(self._after(chapter))
        if before is None or after is None or len(self._after(chapter)) < LEAST_WINDOWS:
            return False
        harmed = any(
            alert["version"] == chapter.serving and alert["state"] != "resolved" and alert["metric"] == "accuracy"
            for alert in self.alerts.values()
        )
        return after >= before - TOLERANCE and not harmed

    def _before(self, chapter: Chapter) -> list[Point]:
        return [p for p in self.points if p.version == chapter.serving and p.end <= chapter.changed_ms]

    def _during(self, chapter: Chapter) -> list[Point]:
        first = chapter.changed_ms + LABELS_ON_THE_WAY_MS
        return [p for p in self.points if p.version == chapter.serving and p.start >= first]

    def _after(self, chapter: Chapter) -> list[Point]:
        later = (other.changed_ms for other in self.chapters if other.changed_ms > chapter.changed_ms)
        until = min(later, default=None)
        return [
            p
            for p in self.points
            if p.version == chapter.version and p.accuracy is not None and (until is None or p.end <= until)
        ]

    def summary(self) -> Record:
        """Counts of everything, and the accuracies of the first change that was mended (else of the first one)."""
        chapter = next((one for one in self.chapters if self._mended(one)), next(iter(self.chapters), None))
        parts = (
            (self._before(chapter), self._during(chapter), self._after(chapter)) if chapter else (self.points, [], [])
        )
        before, during, after = (_rounded(accuracy(points)) for points in parts)
        return {
            "events": sum(self.sent.values()),
            **self.sent,
            "windows": len(self.window_ids),
            "alerts_fired": len(self.alerts),
            "alerts_resolved": len(self.alerts) - len(self.open_alerts),
            "retraining_requests": len(self.requests),
            "versions": len({*self.versions, *self.latest}),
            "accuracy_before": before,
            "accuracy_during": during,
            "accuracy_after": after,
            "recovered": self.closed,
        }


def accuracy(points: Iterable[Point]) -> float | None:
    """Over all labels of the windows; None without any."""
    known = [(point.labels, point.accuracy) for point in points if point.accuracy is not None]
    labels = sum(count for count, _ in known)
    return sum(count * share for count, share in known) / labels if labels else None


def _point(record: Record) -> Point:
    start, end = milliseconds(record["start"]), milliseconds(record["end"])
    labels = record["labels"]
    share = record["metrics"].get("accuracy") if labels >= LEAST_LABELS else None
    return Point(record["version"], start, end, record["predictions"], labels, share)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)

"""A watermark that stands still although time goes on: which source partitions hold it back, and the alert of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.alerts.incidents import Watched, resolved
from app.identity import identifier
from app.segments import EVERYTHING
from app.settings import WindowSettings
from app.sources.progress import Name, Progress
from app.timestamps import rfc3339

# A rebalance or a restart takes some seconds: no news.
LEAST_MS = 60_000
TIMES_IDLE = 3


def patience_ms(windows: WindowSettings) -> int:
    """For how long a watermark may stand still before that is news."""
    return max(TIMES_IDLE * windows.idle_after_ms, LEAST_MS)


@dataclass(frozen=True, slots=True)
class Stalled:
    """`watermark`: where event time stands, None where it has not begun. `since`, `for_ms`: by the clock.

    `held_by`: the sources without which it would go on. `unread`: nobody has told anything of these for long.
    """

    watermark: int | None
    since: int
    for_ms: int
    held_by: tuple[Name, ...]
    unread: bool


class Standstill:
    """The watermark of one partition of `panes`. Time (ms) is that of the ticks' Kafka records, so a replay agrees."""

    def __init__(self, patience_ms: int) -> None:
        self.patience_ms = patience_ms
        self._watermark: int | None = None
        self._moved: int | None = None
        self._now = 0
        self._heard: dict[Name, int] = {}

    def tick(self, sources: Iterable[list[Any]], progress: Progress, now: int) -> None:
        """`progress` has just taken in a tick of `sources`."""
        self._now = max(now, self._now)
        self._heard |= {(topic, partition): self._now for topic, partition, *_ in sources}
        watermark = progress.watermark()
        if self._moved is None or watermark != self._watermark:
            self._watermark, self._moved = watermark, self._now

    def stalled(self, progress: Progress) -> Stalled | None:
        """None while it moves, or was still for less than the patience, or there is nothing to wait for."""
        since = self._now if self._moved is None else self._moved
        for_ms = self._now - since
        if for_ms < self.patience_ms or self._rests(progress):
            return None
        behind = self._behind(progress)
        unread = [name for name in behind if self._is_unread(name)]
        active = [name for name in behind if not progress.told[name].idle] if not unread else []
        return Stalled(self._watermark, since, for_ms, tuple(unread or active or behind), bool(unread))

    def _rests(self, progress: Progress) -> bool:
        """All sources say that there is nothing to read: time has stopped with the events."""
        return all(
            name in progress.told and progress.told[name].idle and not self._is_unread(name)
            for name in progress.expected or ()
        )

    def _is_unread(self, name: Name) -> bool:
        return self._now - self._heard.get(name, self._now - self.patience_ms) >= self.patience_ms

    def _behind(self, progress: Progress) -> list[Name]:
        """The sources that have not passed the watermark."""
        told = {name: progress.told.get(name) for name in sorted(progress.expected or ())}
        return [name for name, source in told.items() if source is None or source.watermark == self._watermark]


class StalledAlert:
    """What is published of it for one model. `alert`: while it is open."""

    def __init__(self, model: str, patience_ms: int, state: Mapping[str, Any] | None = None) -> None:
        state = state or {}
        self.model = model
        self.patience_ms = patience_ms
        self.alert: dict[str, Any] | None = state.get("alert")
        self._watermark: int | None = state.get("watermark")

    def state(self) -> dict[str, Any]:
        return {"alert": self.alert, "watermark": self._watermark}

    def hear(self, stalled: Stalled | None, watermark: int | None, version: str) -> dict[str, Any] | None:
        """The alert that is to be published, if there is one. `version`: empty while none is known."""
        if self.alert is None:
            if stalled is None or not version:
                return None
            self._watermark = stalled.watermark
            self.alert = self._firing(stalled, version)
            return self.alert
        if watermark is None or (self._watermark is not None and watermark <= self._watermark):
            return None
        ended = resolved(self.alert, watermark, "event time goes on")
        self.alert = None
        return ended

    def _firing(self, stalled: Stalled, version: str) -> dict[str, Any]:
        """An episode is told apart by where time stands, so that a replay tells the same one."""
        watched = Watched("watermark_stalled", "watermark_stalled_s", version, EVERYTHING)
        start = stalled.since if stalled.watermark is None else stalled.watermark
        names = [f"{topic}-{partition}" for topic, partition in stalled.held_by]
        who = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
        why = ", which nobody reads" if stalled.unread else ""
        patience_s = self.patience_ms / 1000
        return {
            "alert_id": identifier(self.model, version, watched.rule, {}, stalled.watermark),
            "fingerprint": watched.fingerprint(self.model),
            "state": "firing",
            "severity": "warning",
            "model": self.model,
            "version": version,
            "segment": {},
            "rule": watched.rule,
            "metric": watched.metric,
            "value": patience_s,
            "threshold": patience_s,
            "starts_at": rfc3339(start),
            "ends_at": None,
            "window_start": rfc3339(start),
            "window_end": rfc3339(start + self.patience_ms),
            "summary": f"{self.model} {version}: no window closes, event time is held back by {who}{why}.",
            "evidence": {"held_by": names, "unread": stalled.unread},
            "parent": None,
        }

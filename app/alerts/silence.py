"""Silence: no predictions of a model that had some."""

from collections.abc import Set
from typing import Any

from app.alerts.incidents import Watched, resolved
from app.alerts.rhythm import Rhythm
from app.identity import identifier
from app.segments import EVERYTHING
from app.timestamps import rfc3339

# A model that was silent for as long as this is not missed any more.
GIVE_UP_MS = 7 * 86_400_000
# One event is a test, not traffic.
FEWEST_PANES = 2


class Silence:
    """The traffic of one model, all versions together. Times in ms of event time.

    `alert`: what was published when silence fell, None while there is traffic or nothing is missed.
    """

    def __init__(self, model: str, least_ms: int, state: dict[str, Any] | None = None) -> None:
        state = state or {}
        self.model = model
        self.version: str = state.get("version", "")
        self.rhythm = Rhythm(least_ms, state.get("rhythm"))
        self.alert: dict[str, Any] | None = state.get("alert")

    def state(self) -> dict[str, Any]:
        return {"version": self.version, "rhythm": self.rhythm.state(), "alert": self.alert}

    def due(self) -> int | None:
        """When silence falls if nothing comes; once it has, when it is given up."""
        if self.rhythm.last is None or self.rhythm.panes < FEWEST_PANES:
            return None
        return self.rhythm.last + GIVE_UP_MS if self.alert else self.rhythm.missed_at()

    def heard(self, start: int, end: int, version: str, quiet: Set[int] = frozenset()) -> dict[str, Any] | None:
        """Predictions came in [start, end), most of them of `version`. Gives the alert that ends a silence.

        `quiet`: hours of the week in which that version's baseline had none.
        """
        self.rhythm.heard(start, end, quiet)
        self.version = version
        alert, self.alert = self.alert, None
        return resolved(alert, start, "predictions are back") if alert else None

    def fall(self) -> dict[str, Any]:
        """The due time has come: the alert that says so. The second time it ends: nobody waits any more."""
        last, missed_at = self.rhythm.last, self.rhythm.missed_at()
        assert last is not None
        assert missed_at is not None
        if self.alert:
            ended = resolved(self.alert, last + GIVE_UP_MS, "nothing came for a week")
            self.alert, self.rhythm = None, Rhythm(self.rhythm.least_ms)
            return ended
        self.alert = self._firing(last, self.rhythm.patience_ms(), missed_at)
        return self.alert

    def _firing(self, last: int, patience_ms: int, missed_at: int) -> dict[str, Any]:
        watched = Watched("silence", "silence_s", self.version, EVERYTHING)
        return {
            "alert_id": identifier(self.model, self.version, watched.rule, {}, last),
            "fingerprint": watched.fingerprint(self.model),
            "state": "firing",
            "severity": "critical",
            "model": self.model,
            "version": self.version,
            "segment": {},
            "rule": watched.rule,
            "metric": watched.metric,
            "value": patience_ms / 1000,
            "threshold": patience_ms / 1000,
            "starts_at": rfc3339(last),
            "ends_at": None,
            "window_start": rfc3339(last),
            "window_end": rfc3339(missed_at),
            "summary": f"{self.model} {self.version}: no predictions for {patience_ms / 1000:g} s.",
            "evidence": {"predictions_until": rfc3339(last)},
            "parent": None,
        }

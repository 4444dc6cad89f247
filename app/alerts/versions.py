"""Which versions of a model serve: a version that nobody asks any more, while others are asked, is superseded."""

from collections.abc import Mapping
from typing import Any

from app.alerts.rhythm import Rhythm

# A version that was not asked for as long as this is forgotten.
FORGET_MS = 7 * 86_400_000


class Versions:
    """The versions of one model that had predictions. `state`: as `state()` gave it."""

    def __init__(self, least_ms: int, state: Mapping[str, Any] | None = None) -> None:
        self.least_ms = least_ms
        state = state or {"rhythms": {}, "superseded": []}
        self._rhythms = {version: Rhythm(least_ms, rhythm) for version, rhythm in state["rhythms"].items()}
        self.superseded: set[str] = set(state["superseded"])

    def state(self) -> dict[str, Any]:
        rhythms = {version: rhythm.state() for version, rhythm in sorted(self._rhythms.items())}
        return {"rhythms": rhythms, "superseded": sorted(self.superseded)}

    def known(self) -> set[str]:
        return set(self._rhythms)

    def heard(self, start: int, end: int, version: str) -> None:
        """Predictions of `version` came in the pane [start, end) ms."""
        self._rhythms.setdefault(version, Rhythm(self.least_ms)).heard(start, end)
        self.superseded.discard(version)

    def review(self, now: int) -> list[str]:
        """The versions that have become superseded at `now`; those that are long unheard are forgotten."""
        missed = {version for version, rhythm in self._rhythms.items() if (rhythm.missed_at() or 0) <= now}
        new = sorted(missed - self.superseded) if missed < self._rhythms.keys() else []
        self.superseded.update(new)
        for version in [v for v in self.superseded if (self._rhythms[v].last or 0) + FORGET_MS <= now]:
            del self._rhythms[version]
            self.superseded.discard(version)
        return new

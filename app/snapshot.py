"""What there is to show of a model: finished values only, so that another thread may read them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.windowing.windows import Window

# A window is shown until newer ones are this many lengths ahead of it.
SHOWN_LENGTHS = 10


@dataclass(frozen=True, slots=True)
class MonitorSnapshot:
    """`windows`: the newest tumbling window of each version and segment; `incidents`: open alerts; both as published.

    Counts since the start of this process: `alerts` that fired by (version, severity), `retraining_requests` by
    (version, trigger), `segments_left_out` and `expired` in panes' totals that were not followed.
    """

    model: str
    windows: tuple[dict[str, Any], ...]
    incidents: tuple[dict[str, Any], ...]
    alerts: Mapping[tuple[str, str], int]
    retraining_requests: Mapping[tuple[str, str], int]
    segments_left_out: int
    expired: int


class Tally:
    """Keeps what a snapshot shows. `newest`: (window, record) by version and segment."""

    def __init__(self) -> None:
        self.alerts: Counter[tuple[str, str]] = Counter()
        self.requests: Counter[tuple[str, str]] = Counter()
        self._newest: dict[tuple[str, Any], tuple[Window, dict[str, Any]]] = {}

    def window(self, window: Window, record: dict[str, Any]) -> None:
        self._newest[window.version, window.segment] = (window, record)

    def alert(self, alert: Mapping[str, Any]) -> None:
        if alert["state"] == "firing":
            self.alerts[alert["version"], alert["severity"]] += 1

    def request(self, request: Mapping[str, Any]) -> None:
        self.requests[request["version"], request["trigger"]] += 1

    def forget(self, clock: int) -> None:
        """Drops windows of versions and segments that nothing came for in a while."""
        for key, (window, _) in list(self._newest.items()):
            if window.end + SHOWN_LENGTHS * (window.end - window.start) <= clock:
                del self._newest[key]

    def windows(self) -> tuple[dict[str, Any], ...]:
        return tuple(record for _, (_, record) in sorted(self._newest.items(), key=lambda item: item[0]))

"""Cohorts: all predictions of a day (by default) of one model, followed until their labels can come no more.

A cohort is published at its end, again with a higher revision when it changed, at most every `cohort_revision_s` of
event time, and dropped when the label horizon has passed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from app.settings import Settings
from app.statistics.totals import Totals
from app.windowing.accumulators import Accumulator, slot_name
from app.windowing.panes import CohortKey
from app.windowing.windows import Window

PREFIX = "cohort/"


@dataclass(slots=True)
class _Cohort:
    """`published`: event time (ms) of the last revision. `changed`: of the last change that is not in one yet."""

    sums: Accumulator
    revision: int = 0
    published: int | None = None
    changed: int | None = None

    def pack(self, position: int) -> bytes:
        about = {"revision": self.revision, "published": self.published, "changed": self.changed, "position": position}
        return self.sums.pack(about)


class Cohorts:
    """The open cohorts of one model. `state`: its slots, as stored."""

    def __init__(self, settings: Settings, state: Mapping[str, bytes]) -> None:
        self.length_ms = settings.windows.cohort_ms
        self.every_ms = settings.windows.cohort_revision_ms
        self.horizon_ms = settings.labels.horizon_ms
        self.expired = 0
        """Totals of panes that came for cohorts beyond the horizon."""
        self._open: dict[CohortKey, _Cohort] = {}
        self._next: int | None = None
        self._known_next = False
        self._stored: set[str] = set()
        self._changed: dict[CohortKey, _Cohort] = {}
        self._warm: dict[CohortKey, _Cohort] = {}
        self._dropped: list[str] = []
        for name in sorted(state):
            if name.startswith(PREFIX):
                self._load(name, state[name])

    def add(self, pane_start: int, pane_end: int, totals: Mapping[CohortKey, Totals]) -> None:
        """Adds a pane. A pane that is in already changes nothing."""
        for key, own in totals.items():
            start = key[2]
            if start + self.length_ms + self.horizon_ms <= pane_start:
                self.expired += 1
                continue
            cohort = self._open.get(key)
            if cohort is None:
                sums = Accumulator(key[0], key[1], start, start + self.length_ms, pane_start)
                cohort = self._open[key] = _Cohort(sums)
            if cohort.sums.add(pane_end, own):
                cohort.changed = pane_end
                self._changed[key] = cohort
        self._known_next = False

    def next_due(self) -> int | None:
        """When the next cohort is to be published or dropped."""
        if not self._known_next:
            self._next = min(map(self._due, self._open.values()), default=None)
            self._known_next = True
        return self._next

    def due(self, now: int) -> list[Window]:
        """The cohorts to be published at `now`, by version, segment and start; drops those beyond the horizon."""
        published = []
        for key in sorted(key for key, cohort in self._open.items() if self._due(cohort) <= now):
            cohort = self._open[key]
            if cohort.changed is not None:
                published += self._publish(key, cohort, now)
        self.drop(now)
        return published

    def drop(self, clock: int) -> None:
        """Gives up the cohorts whose labels could come until `clock`."""
        for key in [key for key, cohort in self._open.items() if self._end(cohort) <= clock]:
            self._changed.pop(key, None)
            self._dropped.append(_slot(self._open.pop(key)))
        self._known_next = False

    def changes(self, position: int) -> tuple[dict[str, bytes], list[str]]:
        """What is to be stored since the last call, and the slots that are to go. `position`: stored beside it."""
        values = {_slot(cohort): cohort.pack(position) for cohort in self._changed.values()}
        for key, cohort in self._warm.items():
            if key not in self._changed:
                cohort.sums.release()
        dropped = [name for name in self._dropped if name in self._stored]
        self._stored = (self._stored | values.keys()).difference(dropped)
        self._warm, self._changed, self._dropped = self._changed, {}, []
        return values, dropped

    def _load(self, name: str, packed: bytes) -> None:
        self._stored.add(name)
        sums, about = Accumulator.unpack(packed)
        if sums.end - sums.start != self.length_ms:
            self._dropped.append(name)
            return
        cohort = _Cohort(sums, about["revision"], about["published"], about["changed"])
        self._open[sums.version, sums.segment, sums.start] = cohort

    def _publish(self, key: CohortKey, cohort: _Cohort, now: int) -> list[Window]:
        cohort.changed = None
        self._changed[key] = cohort
        totals = cohort.sums.totals
        if not totals.predictions and not totals.label_count:
            return []
        cohort.published = now
        cohort.revision += 1
        return [Window("cohort", key[0], key[1], key[2], cohort.sums.end, totals, cohort.revision)]

    def _end(self, cohort: _Cohort) -> int:
        return cohort.sums.end + self.horizon_ms

    def _due(self, cohort: _Cohort) -> int:
        if cohort.changed is None:
            return self._end(cohort)
        after = cohort.sums.end if cohort.published is None else cohort.published + self.every_ms
        return min(max(after, cohort.changed), self._end(cohort))


def _slot(cohort: _Cohort) -> str:
    sums = cohort.sums
    return slot_name("cohort", sums.version, sums.segment, sums.start, sums.end)

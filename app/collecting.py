"""The first healthy predictions of a version that has no baseline, until there are enough to fit one from."""

from collections.abc import Mapping

import orjson

from app.identity import identifier
from app.statistics.sample import Sample

PREFIX = "sample/"


class _Rows:
    """What was collected of one version. `through`: end (ms) of the last pane in it."""

    __slots__ = ("sample", "through", "version")

    def __init__(self, version: str, through: int, sample: Sample) -> None:
        self.version = version
        self.through = through
        self.sample = sample


class Collecting:
    """The versions of one model that wait for a baseline. `state`: its slots, as stored."""

    def __init__(self, first_events: int, state: Mapping[str, bytes]) -> None:
        self.first_events = first_events
        self._rows: dict[str, _Rows] = {}
        self._stored: set[str] = set()
        self._changed: set[str] = set()
        self._dropped: set[str] = set()
        for name in sorted(state):
            if name.startswith(PREFIX):
                self._stored.add(name)
                value = orjson.loads(state[name])
                sample = Sample.from_state(value["sample"])
                self._rows[value["version"]] = _Rows(value["version"], value["through"], sample)

    def add(self, version: str, pane_end: int, found: Sample) -> Sample | None:
        """Adds a pane's sample rows, if they are not in already; gives the whole when it is complete."""
        rows = self._rows.get(version)
        if rows is None:
            rows = self._rows[version] = _Rows(version, pane_end - 1, Sample(self.first_events))
            self._dropped.discard(version)
        if pane_end > rows.through:
            rows.sample.merge(found)
            rows.through = pane_end
            self._changed.add(version)
        return rows.sample if rows.sample.rows >= self.first_events else None

    def waiting(self) -> list[str]:
        return sorted(self._rows)

    def drop(self, version: str) -> None:
        """The version has a baseline, or nobody asks it any more."""
        if self._rows.pop(version, None) is not None:
            self._changed.discard(version)
            self._dropped.add(version)

    def changes(self, position: int) -> tuple[dict[str, bytes], list[str]]:
        """What is to be stored since the last call, and the slots that are to go. `position`: stored beside it."""
        values = {_slot(version): self._pack(self._rows[version], position) for version in sorted(self._changed)}
        dropped = [name for name in map(_slot, sorted(self._dropped)) if name in self._stored]
        self._stored = (self._stored | values.keys()).difference(dropped)
        self._changed, self._dropped = set(), set()
        return values, dropped

    def _pack(self, rows: _Rows, position: int) -> bytes:
        head = {"position": position, "version": rows.version, "through": rows.through}
        return orjson.dumps(head | {"sample": rows.sample.state()})


def _slot(version: str) -> str:
    return PREFIX + identifier(version)

"""Running totals of a stretch of event time that outlive a restart: each is one small value of the topic `state`."""

from typing import Any

import orjson

from app.identity import identifier
from app.segments import Segment, as_object, from_object
from app.statistics.totals import Totals


class Accumulator:
    """Totals of one version and segment over [start, end) ms.

    `through`: end of the last pane that is in it, so that a pane closed again after a crash is not added again. Totals
    that nobody adds to any more are kept as the bytes that were stored.
    """

    __slots__ = ("_packed", "_totals", "end", "segment", "start", "through", "version")

    def __init__(self, version: str, segment: Segment, start: int, end: int, through: int) -> None:
        self.version = version
        self.segment = segment
        self.start = start
        self.end = end
        self.through = through
        self._totals: Totals | None = Totals()
        self._packed: bytes | None = None

    @property
    def totals(self) -> Totals:
        if self._totals is None:
            assert self._packed is not None
            return Totals.from_state(orjson.loads(self._packed)["totals"])
        return self._totals

    def add(self, pane_end: int, totals: Totals) -> bool:
        """Adds a pane's totals; False when they are in already."""
        if pane_end <= self.through:
            return False
        self._totals = self.totals
        self._totals.merge(totals)
        self.through = pane_end
        return True

    def pack(self, about: dict[str, Any]) -> bytes:
        """The value to be stored; `about` stands beside the totals."""
        head = {
            "version": self.version,
            "segment": as_object(self.segment),
            "start": self.start,
            "end": self.end,
            "through": self.through,
        }
        self._packed = orjson.dumps(head | about | {"totals": self.totals.state()})
        return self._packed

    def release(self) -> None:
        """Keeps the packed bytes only. What was added since it was packed last would be lost."""
        self._totals = None

    @classmethod
    def unpack(cls, packed: bytes) -> tuple["Accumulator", dict[str, Any]]:
        """The accumulator of a stored value, and what stands beside it."""
        value = orjson.loads(packed)
        segment = from_object(value["segment"])
        accumulator = cls(value["version"], segment, value["start"], value["end"], value["through"])
        accumulator._totals = None
        accumulator._packed = packed
        return accumulator, value


def slot_name(kind: str, version: str, segment: Segment, start: int, end: int) -> str:
    """A name of its own for each stretch: a finished one is read until the decisions drawn from it are stored."""
    return f"{kind}/{end - start}/{start}/{identifier(version, as_object(segment))}"

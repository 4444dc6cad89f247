"""How far the time of a source partition had come at an offset, in a form that a commit carries.

Time comes with events, and while nothing comes it is raised by whoever reads the partition: others close panes up to
there. What was said must hold for the rows that follow, on every replay; so the raises of a block that is not complete
stand beside the watermark that it began with.
"""

from dataclasses import dataclass
from typing import NamedTuple

import orjson

# As many as fit into a commit. Older ones are of panes that closed long ago: only every `idle_after_s` there is one.
MOST_RAISES = 120


class Raise(NamedTuple):
    """From `offset` on no row counts before `watermark` (ms), less the allowed lateness."""

    offset: int
    watermark: int


@dataclass(frozen=True, slots=True)
class Mark:
    """Times in ms. `watermark`: what lateness is decided by; `events`: the largest event time alone.

    `kafka_ms`: of the last record. `raises`: what else was said since, by rising offsets. `epoch`: of the owner that
    says so; each owner of a source partition has a higher one than those before it. `owner`: its worker's name.
    """

    watermark: int | None = None
    events: int | None = None
    kafka_ms: int | None = None
    raises: tuple[Raise, ...] = ()
    epoch: int = 0
    owner: str = ""

    def metadata(self) -> str:
        """For a commit; empty when there is nothing to say."""
        if self == Mark():
            return ""
        raises = [list(raised) for raised in self.raises[-MOST_RAISES:]]
        return orjson.dumps([self.watermark, self.events, self.kafka_ms, raises, self.epoch, self.owner]).decode()


def mark_of(metadata: str) -> Mark:
    """A mark as `Mark.metadata` wrote it. A lone number is the watermark, as the first versions had it."""
    if not metadata:
        return Mark()
    told = orjson.loads(metadata)
    if isinstance(told, int):
        return Mark(told, told)
    watermark, events, kafka_ms, raises, *owner = told
    return Mark(watermark, events, kafka_ms, tuple(Raise(*raised) for raised in raises), *owner)


def later(one: int | None, other: int | None) -> int | None:
    """The larger of two times of which either may be unknown."""
    return max((time for time in (one, other) if time is not None), default=None)

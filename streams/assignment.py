"""What a worker begins with in a source partition that it was assigned."""

import time
from collections.abc import Callable
from dataclasses import replace

from faust.types import TP

from app.settings import Settings
from app.sources.fences import birth_of, epoch_of
from app.sources.marks import Mark, mark_of
from app.sources.progress import Name
from streams.chunks import Floors
from streams.topics import topic_name


class Assignment:
    """Of one generation of the consumer group. `now`: the clock, in seconds."""

    def __init__(self, settings: Settings, floors: Floors, now: Callable[[], float] = time.time) -> None:
        self.settings, self.floors = settings, floors
        self._birth_ms = round(now() * 1000)

    def tp(self, name: Name) -> TP:
        return TP(topic_name(self.settings, name[0]), name[1])

    def floor(self, name: Name) -> int:
        """Up to which offset it was committed when it was assigned."""
        return max(self.floors.committed.get(self.tp(name), (0, ""))[0], 0)

    def mark(self, name: Name) -> Mark:
        """How far time had come there."""
        return mark_of(self.floors.committed.get(self.tp(name), (0, ""))[1])

    def epoch(self, name: Name) -> int:
        """Of this ownership: the birth that the commit hands on, or ours, and the generation."""
        return epoch_of(birth_of(self.mark(name).epoch) or self._birth_ms, self.floors.generation)

    def birth(self, name: Name, first: int) -> tuple[int, str]:
        """The commit of the first owner before it has counted anything, from the offset `first` on."""
        return first, replace(self.mark(name), epoch=self.epoch(name)).metadata()

"""What a worker begins with in a source partition that it was assigned."""

import time
from collections.abc import Callable
from dataclasses import replace

from faust.types import TP

from app.settings import Settings
from app.sources.fences import epoch_after
from app.sources.marks import Mark, mark_of
from app.sources.progress import Name
from streams.chunks import Floors
from streams.topics import topic_name


class Assignment:
    """Of one generation of the consumer group, with what was committed before. `now`: the clock, in seconds."""

    def __init__(self, settings: Settings, floors: Floors, now: Callable[[], float] = time.time) -> None:
        self.settings, self.floors = settings, floors
        self._began_ms = round(now() * 1000)

    def tp(self, name: Name) -> TP:
        return TP(topic_name(self.settings, name[0]), name[1])

    def floor(self, name: Name) -> int:
        """Up to which offset it was committed when it was assigned."""
        return max(self.floors.committed.get(self.tp(name), (0, ""))[0], 0)

    def mark(self, name: Name) -> Mark:
        """How far time had come there."""
        return mark_of(self.floors.committed.get(self.tp(name), (0, ""))[1])

    def claimed(self, name: Name) -> Mark:
        """The same of this ownership: with its epoch, and the name of this worker."""
        found = self.mark(name)
        epoch = epoch_after(found.epoch, self._began_ms)
        return replace(found, epoch=epoch, owner=self.settings.worker.instance or "")

    def epoch(self, name: Name) -> int:
        """Of this ownership."""
        return self.claimed(name).epoch

    def claim(self, name: Name) -> tuple[int, str]:
        """What is committed before this owner tells anything: all as it was found, but for the owner."""
        return self.floor(name), self.claimed(name).metadata()

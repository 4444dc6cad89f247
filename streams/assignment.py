"""What a worker begins with in a source partition that it was assigned."""

import time
from collections.abc import Callable

from faust.types import TP

from app.marks import Mark, mark_of
from app.progress import Name
from app.settings import Settings
from streams.chunks import Floors
from streams.topics import topic_name


class Assignment:
    """Of one generation of the consumer group. `now`: the clock, in seconds."""

    def __init__(self, settings: Settings, floors: Floors, now: Callable[[], float] = time.time) -> None:
        self.settings, self.floors = settings, floors
        self._now = now
        self._epochs: dict[Name, int] = {}

    def forget(self) -> None:
        self._epochs.clear()

    def tp(self, name: Name) -> TP:
        return TP(topic_name(self.settings, name[0]), name[1])

    def floor(self, name: Name) -> int:
        """Up to which offset it was committed when it was assigned."""
        return max(self.floors.committed.get(self.tp(name), (0, ""))[0], 0)

    def mark(self, name: Name) -> Mark:
        """How far time had come there."""
        return mark_of(self.floors.committed.get(self.tp(name), (0, ""))[1])

    def epoch(self, name: Name) -> int:
        """Tells this ownership from those before: higher than any that committed, and the time (ms) where none did.

        Each commit carries it. Of owners that did not get as far as that the clocks decide: whoever takes over has
        waited for the other's session to end, so clocks that differ by less than that agree.
        """
        if name not in self._epochs:
            self._epochs[name] = max(round(self._now() * 1000), self.mark(name).epoch + 1)
        return self._epochs[name]

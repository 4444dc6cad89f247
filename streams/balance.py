"""While there is much to read, neither side of the join runs far ahead of the other.

Labels are smaller than predictions, and so are read sooner. Of a long backlog they would fill the store with what
waits for predictions that come much later; and what lies several horizons ahead the store lets go of
(`streams/joins.py`).
"""

import asyncio
import time
from collections.abc import Callable

from app.joining.told import SIDES
from app.sources.progress import Name
from streams.sources import HISTORY_MS, Source

# So long without any progress, and the other side is not waited for: it may not come at all.
STUCK_S = 10.0
LOOK_S = 0.5
Lag = Callable[[Name, int], int | None]


class Balance:
    """`most_ms`: of time between the sides. `lag(name, position)`: records that are still to be read there."""

    def __init__(self, most_ms: int, lag: Lag) -> None:
        self._most_ms, self._lag = most_ms, lag
        self._moved = asyncio.Event()
        self._waiting = False

    def moved(self) -> None:
        """Some source has come further."""
        self._moved.set()

    async def wait(self, own: Source, find: Callable[[Name], Source | None], ours: Callable[[], bool]) -> None:
        """Until `own` is not too far ahead, or the other side has nothing to read. `find`: sources by name.

        Only one side waits at a time, or each could wait for the other, in two partitions.
        """
        if self._waiting:
            return
        self._waiting = True
        try:
            moved_s = time.monotonic()
            while ours() and self._is_ahead(own, find(_other(own.name))):
                self._moved.clear()
                if await self._moves():
                    moved_s = time.monotonic()
                elif time.monotonic() - moved_s > STUCK_S:
                    return
        finally:
            self._waiting = False

    async def _moves(self) -> bool:
        """Whether anything moves for as long as it takes to look again whether the partition is still ours."""
        try:
            await asyncio.wait_for(self._moved.wait(), LOOK_S)
        except TimeoutError:
            return False
        return True

    def _is_ahead(self, own: Source, other: Source | None) -> bool:
        if other is None or not self._lag(other.name, other.next):
            return False
        # Of traffic as it happened it counts when it came: labels of long ago, all at once, must not hold it up.
        mine, theirs = (own.events, other.events) if _is_history(own) else (own.kafka_ms, other.kafka_ms)
        return mine is not None and theirs is not None and mine - theirs > self._most_ms


def _is_history(source: Source) -> bool:
    kafka_ms, events = source.kafka_ms, source.events
    return kafka_ms is None or events is None or kafka_ms - events >= HISTORY_MS


def _other(name: Name) -> Name:
    topic, partition = name
    return next(other for other in SIDES if other != topic), partition

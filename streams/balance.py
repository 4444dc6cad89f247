"""While there is much to read, neither side of the join runs far ahead of the other.

Labels are smaller than predictions, and so are read sooner. Of a long backlog they would fill the store with what
waits for predictions that come much later; and what lies several horizons ahead the store lets go of
(`streams/joins.py`).
"""

import asyncio
import time
from collections.abc import Callable

from app.joining.told import other_side
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
        self._waiting: dict[str, int] = {}
        """By topic: how far ahead that is which waits, in ms."""

    def moved(self) -> None:
        """Some source has come further."""
        self._moved.set()

    async def wait(self, own: Source, find: Callable[[Name], Source | None], ours: Callable[[], bool]) -> None:
        """Until `own` is not too far ahead, or the other side has nothing to read. `find`: sources by name.

        Each side has one agent for all its partitions, and so each could wait for the other, in two of them: then the
        one goes on that is less far ahead. To let either go on while the other waits would be simpler, but of a backlog
        one side then ran five horizons ahead in some partition.
        """
        name = other_side(own.name)
        (topic, _), (other, _) = own.name, name
        moved_s = time.monotonic()
        try:
            while ours() and (lead := self._lead(own, find(name))) > self._most_ms:
                self._waiting[topic] = lead
                if lead <= self._waiting.get(other, -1):
                    return
                self._moved.set()  # the other one may go on now
                self._moved.clear()
                if await self._moves():
                    moved_s = time.monotonic()
                elif time.monotonic() - moved_s > STUCK_S:
                    return
        finally:
            self._waiting.pop(topic, None)

    async def _moves(self) -> bool:
        """Whether anything moves for as long as it takes to look again whether the partition is still ours."""
        try:
            await asyncio.wait_for(self._moved.wait(), LOOK_S)
        except TimeoutError:
            return False
        return True

    def _lead(self, own: Source, other: Source | None) -> int:
        """By how much (ms) `own` is ahead of what the other side has still to read; 0 where nobody can say."""
        if other is None or not self._lag(other.name, other.next):
            return 0
        # Of traffic as it happened it counts when it came: labels of long ago, all at once, must not hold it up.
        mine, theirs = (own.events, other.events) if _is_history(own) else (own.kafka_ms, other.kafka_ms)
        return 0 if mine is None or theirs is None else mine - theirs


def _is_history(source: Source) -> bool:
    kafka_ms, events = source.kafka_ms, source.events
    return kafka_ms is None or events is None or kafka_ms - events >= HISTORY_MS

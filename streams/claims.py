"""The claim of an owner: its epoch is in the commits of its partitions before it tells anything of them.

The broker takes a commit only from whoever has the partition, and the next owner finds the epoch there: so each has
another one, in the order of their ownership.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping

from app.joining.told import SIDES
from app.sources.progress import Name
from streams.assignment import Assignment

Keep = Callable[[dict[Name, tuple[int, str]]], Awaitable[bool]]


class NameTaken(RuntimeError):
    """Another worker runs under the name of this one, and has taken its partitions."""


class Claims:
    """Of one worker. `keep`: commits floors, and says whether the broker took them from the present generation."""

    def __init__(self, assignment: Assignment, keep: Keep) -> None:
        self.assignment, self._keep = assignment, keep
        self._found: Mapping[object, object] | None = None
        """What was committed when these partitions were assigned: another one with each assignment."""
        self._claimed: set[Name] = set()
        self._epochs: dict[Name, int] = {}
        """Of this process, as it last claimed them."""
        self._claiming = asyncio.Lock()
        """A claim commits what was found: it must not come after a commit of what was counted since."""

    async def claim(self, names: Iterable[Name]) -> bool:
        """Claims these and the other sides of their joins, once in each assignment. False when they are lost.

        Raises NameTaken.
        """
        async with self._claiming:
            found = self.assignment.floors.committed
            if found is not self._found:
                self._found, self._claimed = found, set()
            missing = {own for name in names for own in _sides(name) if self.assignment.tp(own) in found}
            missing -= self._claimed
            self._check_name(missing)
            self._epochs |= {name: self.assignment.epoch(name) for name in missing}
            if missing and not await self._keep({name: self.assignment.claim(name) for name in sorted(missing)}):
                return False
            if self.assignment.floors.committed is not found:
                return False
            self._claimed |= missing
            return True

    def _check_name(self, names: Iterable[Name]) -> None:
        """Two workers of one name would take the partitions from each other for ever: the older one ends.

        The broker tells it only that it is a member no longer, as after a session that has ended.
        """
        own = self.assignment.settings.worker.instance
        for name in names:
            mark = self.assignment.mark(name)
            if mark.owner == own and mark.epoch > self._epochs.get(name, mark.epoch):
                raise NameTaken(
                    f"another worker runs as {own!r} and has partition {name[1]} of {name[0]} now."
                    " Give each worker a name of its own: worker.instance"
                )


def _sides(name: Name) -> list[Name]:
    """Both sides of a join share a store, which is of both of their owners."""
    return [(topic, name[1]) for topic in SIDES] if name[0] in SIDES else [name]

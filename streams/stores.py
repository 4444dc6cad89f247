"""The join's stores of the partitions that this worker owns: opened, made anew where something is missing, closed."""

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path

from app.joining.told import SIDES
from app.settings import Settings
from app.sources.fences import continues
from app.sources.marks import Mark
from streams.assignment import Assignment
from streams.filling import fill, is_far_behind
from streams.joins import JoinStore, StoreLocked, open_store, set_aside
from streams.outputs import Outputs
from streams.partitionreader import reader
from streams.rebuilding import Already, NoLongerOurs, Progress, Rebuild
from streams.rocks import Damaged
from streams.ticks import encoded

log = logging.getLogger(__name__)

HELD_TOLD_EVERY_S = 30.0
Ours = Callable[[], bool]
Guard = Callable[[Awaitable[object]], Awaitable[None]]


class Stores:
    """By partition. `partitions`: counts of the topics, by name."""

    def __init__(
        self, settings: Settings, assignment: Assignment, outputs: Outputs, partitions: Mapping[str, int]
    ) -> None:
        self.settings, self.assignment, self.outputs, self.partitions = settings, assignment, outputs, partitions
        self.unready: dict[int, object] = {}
        """Partitions whose store is waited for or made anew, with what there is to say of it."""
        self._open: dict[int, JoinStore] = {}
        self._opening: dict[int, asyncio.Lock] = {}
        self._begun: dict[int, asyncio.Task[None]] = {}
        self._filling = asyncio.Semaphore(os.cpu_count() or 1)

    def forget(self) -> None:
        for store in self._open.values():
            store.close()
        self._open.clear()

    async def stop(self) -> None:
        """Ends what `begin` began."""
        begun = list(self._begun.values())
        for task in begun:
            task.cancel()
        await asyncio.gather(*begun, return_exceptions=True)

    def absent(self, partitions: Iterable[int]) -> set[int]:
        """Those whose store is not open, and has not been begun with."""
        return set(partitions) - self._open.keys() - self._begun.keys()

    def begin(self, partition: int, ours: Ours, guarded: Guard) -> None:
        """Opens the store before a record asks for it. Agents wait for one after the other: that would take long.

        `guarded`: runs what must stop the worker where it fails.
        """
        task = asyncio.ensure_future(guarded(self.get(partition, ours)))
        self._begun[partition] = task

        def ended(task: "asyncio.Future[None]") -> None:
            del self._begun[partition]
            if not task.cancelled():
                task.exception()  # was told already

        task.add_done_callback(ended)

    async def get(self, partition: int, ours: Ours) -> JoinStore | None:
        """The store, whole; None when the partition is no longer ours. Both sides of the join may ask at once."""
        if partition not in self._open:
            async with self._opening.setdefault(partition, asyncio.Lock()):
                if partition not in self._open and ours():
                    await self._make_whole(partition, ours, Already())
        return self._open.get(partition) if ours() else None

    async def renew(self, partition: int, damaged: JoinStore, ours: Ours, counted: Already) -> None:
        """Sets a store aside that turned out to be damaged, and makes it anew with what was `counted` with it."""
        async with self._opening.setdefault(partition, asyncio.Lock()):
            if self._open.get(partition) is damaged:
                del self._open[partition]
                self._replace(partition, damaged)
                await self._make_whole(partition, ours, counted)

    async def _make_whole(self, partition: int, ours: Ours, counted: Already) -> None:
        self.unready[partition] = f"the join's store of partition {partition} is opened"
        try:
            while partition not in self._open:
                progress = Progress(partition)
                store = await self._filled(partition, ours, progress)
                try:
                    await self._complete(store, ours, counted, progress)
                    if not ours():
                        raise NoLongerOurs
                except Damaged:
                    self._replace(partition, store)
                except BaseException:
                    store.close()
                    raise
                else:
                    self._open[partition] = store
        except NoLongerOurs:
            pass
        finally:
            self.unready.pop(partition, None)

    async def _filled(self, partition: int, ours: Ours, progress: Progress) -> JoinStore:
        """The store; if much of what was committed is not in it, after another process has put that."""
        store = await self._opened(partition, ours)
        floors, marks = self._committed(partition)
        if not is_far_behind(store, floors):
            return store
        store.close()
        async with self._filling:
            self.unready[partition] = progress
            await fill(self.settings, self._path(partition), floors, marks, progress, ours)
        return await self._opened(partition, ours)

    def _committed(self, partition: int) -> tuple[dict[str, int], dict[str, Mark]]:
        """Of each side: up to which offset, and how far time had come there."""
        names = {topic: (topic, partition) for topic in SIDES}
        floors = {topic: self.assignment.floor(name) for topic, name in names.items()}
        return floors, {topic: self.assignment.mark(name) for topic, name in names.items()}

    def _replace(self, partition: int, damaged: JoinStore) -> None:
        """The next one to be opened is a new one."""
        damaged.close()
        set_aside(self._path(partition), "a block of it can't be read")

    async def _opened(self, partition: int, ours: Ours) -> JoinStore:
        """In a thread, since a former owner on this machine may still hold it: it is waited for while it is ours."""
        told = -HELD_TOLD_EVERY_S
        while True:
            try:
                return await asyncio.to_thread(open_store, self._path(partition), self.settings.labels.horizon_s)
            except StoreLocked as error:
                if not ours():
                    raise NoLongerOurs from error
                self.unready[partition] = f"another process holds the join's store of partition {partition}"
                if time.monotonic() - told >= HELD_TOLD_EVERY_S:
                    told = time.monotonic()
                    log.warning("%s; it is waited for: %s", self.unready[partition], error)

    async def _complete(self, store: JoinStore, ours: Ours, counted: Already, progress: Progress) -> None:
        """Makes anew what it lacks of what was committed, or was counted since, and what others may have counted."""
        partition = progress.partition
        if not ours():
            raise NoLongerOurs
        # As they are now: while it is made anew the partition may be assigned to us once more, and is another owner's.
        floors, marks = self._committed(partition)
        epochs = {topic: self.assignment.epoch((topic, partition)) for topic in SIDES}
        if counted.reached or not await self._is_whole(partition, store, floors, epochs):
            # What a former owner still sends from here on must not count: how it completes pairs would not be known.
            await self._announce(partition, epochs)
            self.unready[partition] = progress
            rebuild = Rebuild(self.settings, store, floors, marks, counted, progress, ours)
            await self._announce(partition, epochs, await rebuild.run())
        store.owners = epochs

    async def _is_whole(
        self, partition: int, store: JoinStore, floors: Mapping[str, int], epochs: Mapping[str, int]
    ) -> bool:
        if all(store.next_offset(topic) is None for topic in floors) and not store.unfinished:
            return await _nothing_was_counted(self.settings, partition, floors)
        return not _is_behind(store, floors) and continues(store.owners, epochs)

    async def _announce(self, partition: int, epochs: Mapping[str, int], examples: int | None = None) -> None:
        """That both sides are ours. `examples`: where what we know of that topic ends."""
        owned = {(topic, partition): epoch for topic, epoch in epochs.items()}
        known = None if examples is None else (partition, examples)
        tick = encoded([], owned, {topic: self.partitions[topic] for topic in SIDES}, known)
        await self.outputs.send_to_all("panes", tick, self.partitions["panes"])

    def _path(self, partition: int) -> Path:
        return store_path(self.settings, partition)


def store_path(settings: Settings, partition: int) -> Path:
    return Path(settings.data_dir) / "joins" / f"{settings.topic_prefix}predictions-{partition}"


def _is_behind(store: JoinStore, floors: Mapping[str, int]) -> bool:
    """Whether the store lacks what lies below the commits `floors` (topic -> offset)."""
    return store.unfinished or any((store.next_offset(topic) or 0) < floor for topic, floor in floors.items())


async def _nothing_was_counted(settings: Settings, partition: int, floors: Mapping[str, int]) -> bool:
    """Whether no worker has ever told anything: then there is nothing to make anew."""
    if any(floors.values()):
        return False
    async with reader(settings, partition) as source:
        return all([await source.first(topic) == await source.end(topic) for topic in ("examples", "panes")])

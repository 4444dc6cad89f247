"""Histories of a partition, drawn by lot: who owned it one after the other, and what happened to each."""

import shutil
from random import Random

from app.settings import Settings
from streams.stores import store_path
from tests.chaos.owning import Killed, Log, Mortal, Owner, settings_on

DISKS = ("a", "b", "c")


class History:
    """`stops`: whether owners are stopped too, and go on beside the next one without having noticed it."""

    def __init__(self, settings: Settings, log: Log, seed: int, stops: bool) -> None:
        self.settings, self.log, self.stops = settings, log, stops
        self.random = Random(seed)
        self.stopped: Owner | None = None
        self.said: list[str] = []

    async def run(self) -> None:
        """Several lives, then one that counts all."""
        for _ in range(self.random.randint(2, 6)):
            await self._life()
        if self.stopped is not None:
            await end(self.stopped)
        last = await self._begun(self.random.choice(DISKS[:2]))
        await last.finish()
        await end(last)

    async def _life(self) -> None:
        random, former = self.random, self.stopped
        # Who is only stopped still holds the lock of its store.
        disk = random.choice(DISKS[:2] if former is None else [one for one in DISKS if one != former.disk])
        if random.random() < 0.4:
            shutil.rmtree(store_path(settings_on(self.settings, disk), 0), ignore_errors=True)
            self.said.append(f"{disk} is lost")
        if random.random() < 0.2:
            await end(await self._begun(disk))
            self.said.append("and ends at once")
        owner = await self._begun(disk)
        if random.random() < 0.4:
            owner.outputs.left = random.randint(0, 60)
        try:
            await self._side_by_side(owner, former)
        except Killed:
            self.said.append("killed")
        self.said.append(f"read {[source.next for source in owner.ingest.sources.values()]}")
        if former is not None:
            await end(former)
        self.stopped = owner if self.stops and owner.outputs.left >= 0 and random.random() < 0.4 else None
        if self.stopped is None:
            await end(owner)
        else:
            owner.commits = False
            self.said.append("stopped")

    async def _side_by_side(self, owner: Owner, former: Owner | None) -> None:
        """`former` goes on before the owner has said a word, and after that."""
        if former is not None:
            await former.live(self.random, 2)
        await owner.live(self.random, self.random.randint(1, 8))
        if former is not None:
            await former.live(self.random, 2)
            await owner.live(self.random, self.random.randint(1, 3))

    async def _begun(self, disk: str) -> Owner:
        owner = Owner(self.log, self.settings, disk, await mortal(self.settings))
        owner.begin()
        self.said.append(f"{disk} begins at {[place for place, _ in self.log.committed.values()]}")
        return owner


async def mortal(settings: Settings) -> Mortal:
    outputs = Mortal(settings)
    await outputs.start()
    return outputs


async def end(owner: Owner) -> None:
    owner.ingest.forget()
    await owner.outputs.stop()

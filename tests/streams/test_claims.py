"""An owner commits its epoch before it tells anything: once in each assignment, never after what it counted since."""

import asyncio

import pytest
from faust.types import TP

from app.settings import Settings, WorkerSettings
from app.sources.marks import Mark, mark_of
from app.sources.progress import Name
from streams.assignment import Assignment
from streams.chunks import Floors
from streams.claims import Claims, NameTaken

Floor = tuple[int, str]


class Group:
    """A broker's group: takes commits while `accepts`, each after the loop has gone on with others."""

    def __init__(self) -> None:
        self.committed: dict[Name, Floor] = {}
        self.commits = 0
        self.accepts = True
        self.floors = Floors()
        self.claims = self.worker("worker-1")
        self.assign()

    def worker(self, instance: str) -> Claims:
        settings = Settings(worker=WorkerSettings(instance=instance))
        return Claims(Assignment(settings, self.floors, now=lambda: 8.0), self.keep)

    def assign(self) -> None:
        names = [(topic, 2) for topic in ("predictions", "labels", "resources")]
        self.floors.committed = {TP(*name): self.committed.get(name, (7, "")) for name in names}

    async def keep(self, floors: dict[Name, Floor]) -> bool:
        await asyncio.sleep(0)
        if self.accepts:
            self.commits += 1
            self.committed |= floors
        return self.accepts

    def epochs(self) -> dict[Name, int]:
        return {name: mark_of(metadata).epoch & 0xFFFFF for name, (_, metadata) in self.committed.items()}


async def test_both_sides_of_a_join_are_claimed_with_either() -> None:
    group = Group()
    assert await group.claims.claim([("labels", 2)])
    assert group.epochs() == {("predictions", 2): 1, ("labels", 2): 1}
    assert await group.claims.claim([("resources", 2), ("predictions", 2)])
    assert group.epochs() == {("predictions", 2): 1, ("labels", 2): 1, ("resources", 2): 1}
    assert group.commits == 2


async def test_who_asks_at_once_commits_once() -> None:
    """A second commit of the same could come after one of what was counted since, and take it back."""
    group = Group()
    found = await asyncio.gather(*[group.claims.claim([(topic, 2)]) for topic in ("predictions", "labels") * 3])
    assert all(found)
    assert group.commits == 1


async def test_each_assignment_has_an_epoch_of_its_own() -> None:
    group = Group()
    for number in (1, 2, 3):
        assert await group.claims.claim([("labels", 2)])
        assert group.epochs()["labels", 2] == number
        group.assign()


async def test_what_the_broker_refuses_is_not_claimed() -> None:
    group = Group()
    group.accepts = False
    assert not await group.claims.claim([("labels", 2)])
    group.accepts = True
    assert await group.claims.claim([("labels", 2)])
    assert group.commits == 1


async def test_a_claim_of_partitions_that_were_assigned_anew_meanwhile_does_not_hold() -> None:
    group = Group()
    claiming = asyncio.ensure_future(group.claims.claim([("labels", 2)]))
    await asyncio.sleep(0)
    group.assign()
    assert not await claiming


async def test_a_partition_that_is_not_ours_is_not_committed() -> None:
    group = Group()
    assert await group.claims.claim([("labels", 3)])
    assert group.commits == 0


@pytest.mark.parametrize("other", ["worker-1", "worker-2"])
async def test_the_older_one_of_two_workers_of_one_name_ends(other: str) -> None:
    group = Group()
    second = group.worker(other)
    for claims in (group.claims, group.claims, second, second):
        assert await claims.claim([("labels", 2)])
        group.assign()
    if other == "worker-1":
        with pytest.raises(NameTaken, match="another worker runs as 'worker-1' and has partition 2"):
            await group.claims.claim([("labels", 2)])
    else:
        assert await group.claims.claim([("labels", 2)])
    group.assign()
    assert await second.claim([("labels", 2)])


async def test_a_claim_says_what_was_found_but_for_the_owner() -> None:
    group = Group()
    group.committed["labels", 2] = 9, Mark(70, 60, 50).metadata()
    group.assign()
    assert await group.claims.claim([("labels", 2)])
    offset, metadata = group.committed["labels", 2]
    assert (offset, mark_of(metadata)) == (9, Mark(70, 60, 50, epoch=8000 << 20 | 1, owner="worker-1"))

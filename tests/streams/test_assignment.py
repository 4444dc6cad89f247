"""What a worker begins with in a partition, and that owners who began at once can be compared."""

from dataclasses import replace

from faust.types import TP

from app.settings import Settings, WorkerSettings
from app.sources.fences import birth_of, outdated
from app.sources.marks import Mark, Raise, mark_of
from streams.assignment import Assignment
from streams.chunks import Floors

NAME = ("labels", 2)
HERE = TP("labels", 2)


SETTINGS = Settings(worker=WorkerSettings(instance="worker-1"))


def assignment(now: float, committed: tuple[int, str] | None = None) -> Assignment:
    floors = Floors()
    if committed is not None:
        floors.committed[HERE] = committed
    return Assignment(SETTINGS, floors, lambda: now)


def test_what_was_committed_is_where_it_begins() -> None:
    mark = Mark(70, 60, 50, (Raise(9, 70),), epoch=5 << 20 | 3)
    found = assignment(8.0, (7, mark.metadata()))
    assert (found.floor(NAME), found.mark(NAME)) == (7, mark)
    assert found.epoch(NAME) == 5 << 20 | 4


def test_nothing_was_committed() -> None:
    found = assignment(8.0)
    assert (found.floor(NAME), found.mark(NAME)) == (0, Mark())
    assert birth_of(found.epoch(NAME)) == 8000


def test_each_owner_follows_the_one_whose_claim_it_finds() -> None:
    """Another worker that began sooner would else have a birth of its own, and its epochs could not be compared."""
    first = assignment(9.0, (4, ""))
    offset, metadata = first.claim(NAME)
    assert (offset, mark_of(metadata).epoch) == (4, first.epoch(NAME))
    second = assignment(2.0, (offset, metadata))
    assert birth_of(second.epoch(NAME)) == 9000
    assert outdated(first.epoch(NAME), second.epoch(NAME))


def test_a_claim_changes_nothing_but_the_owner() -> None:
    mark = Mark(70, 60, 50, (Raise(9, 70),), owner="worker-2")
    offset, metadata = assignment(8.0, (7, mark.metadata())).claim(NAME)
    assert (offset, mark_of(metadata)) == (7, replace(mark, epoch=8000 << 20 | 1, owner="worker-1"))

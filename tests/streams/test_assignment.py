"""What a worker begins with in a partition, and that owners who began at once can be compared."""

from faust.types import TP

from app.settings import Settings
from app.sources.fences import birth_of, outdated
from app.sources.marks import Mark, Raise, mark_of
from streams.assignment import Assignment
from streams.chunks import Floors

NAME = ("labels", 2)
HERE = TP("labels", 2)


def assignment(now: float, generation: int, committed: tuple[int, str] | None = None) -> Assignment:
    floors = Floors()
    floors.generation = generation
    if committed is not None:
        floors.committed[HERE] = committed
    return Assignment(Settings(), floors, lambda: now)


def test_what_was_committed_is_where_it_begins() -> None:
    mark = Mark(70, 60, 50, (Raise(9, 70),), epoch=5 << 20)
    found = assignment(8.0, 3, (7, mark.metadata()))
    assert (found.floor(NAME), found.mark(NAME)) == (7, mark)
    assert found.epoch(NAME) == 5 << 20 | 3


def test_nothing_was_committed() -> None:
    found = assignment(8.0, 3)
    assert (found.floor(NAME), found.mark(NAME)) == (0, Mark())
    assert birth_of(found.epoch(NAME)) == 8000


def test_the_first_owner_hands_its_birth_on_before_it_counts() -> None:
    """Another worker that began sooner would else have a birth of its own, and its epochs could not be compared."""
    first = assignment(9.0, 1)
    offset, metadata = first.birth(NAME, 4)
    assert (offset, mark_of(metadata).epoch) == (4, first.epoch(NAME))
    second = assignment(2.0, 2, (offset, metadata))
    assert birth_of(second.epoch(NAME)) == 9000
    assert outdated(first.epoch(NAME), second.epoch(NAME))


def test_the_mark_of_an_older_version_is_kept_with_the_birth() -> None:
    mark = Mark(70, 60, 50, (Raise(9, 70),))
    _, metadata = assignment(8.0, 3, (7, mark.metadata())).birth(NAME, 7)
    assert mark_of(metadata) == Mark(70, 60, 50, (Raise(9, 70),), epoch=8000 << 20 | 3)

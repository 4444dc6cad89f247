"""What a worker that lost a partition still sends of it, and that reading again decides the same."""

from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from app.settings import WindowSettings
from app.sources.fences import MOST_KNOWN, Fences, birth_of, continues, epoch_after, epoch_of, outdated
from app.windowing.panes import PaneBoard
from tests.app.closing import SECOND, group, part, predictions, tick

SOURCE = ("predictions", 0)
WINDOWS = WindowSettings()
BIRTH_MS = 1_795_176_000_000
OLD, NEW, NEWEST = (epoch_of(BIRTH_MS, number) for number in (3, 4, 9))


def told(epoch: int, position: int, watermark: int, *, of: int = 0) -> dict[str, Any]:
    said = tick(("predictions", of, position, watermark, False), predictions=2)
    said["tick"]["epochs"] = [["predictions", of, epoch]]
    return said


def counted(epoch: int, offset: int, rows: int, *, block: int = 0, pane: int = 0, of: int = 0) -> dict[str, Any]:
    return part(group(predictions(rows), pane), source=("predictions", of), block=block, offset=offset) | {
        "epoch": epoch
    }


def board(*messages: dict[str, Any], metadata: str = "") -> PaneBoard:
    made = PaneBoard(WINDOWS, metadata)
    for offset, message in enumerate(messages):
        made.add(message, offset)
    return made


def rows(made: PaneBoard) -> list[int]:
    return [sum(totals.predictions for totals in pane.windows.values()) for pane in made.ready()]


def test_a_part_of_a_former_owner_is_ignored_once_the_new_one_has_spoken() -> None:
    over = told(NEW, 90, 60 * SECOND), told(NEW, 90, 60 * SECOND, of=1)
    assert rows(board(counted(OLD, 9, 5), counted(NEW, 20, 7), counted(OLD, 30, 99), *over)) == [7]
    assert rows(board(counted(OLD, 9, 5), told(NEW, 3, SECOND), counted(OLD, 30, 99), *over)) == [5]


def test_of_equal_offsets_the_later_part_holds() -> None:
    """A block that is counted again, after the join's store was lost, may come to more than before."""
    over = told(NEW, 90, 60 * SECOND), told(NEW, 90, 60 * SECOND, of=1)
    assert rows(board(counted(OLD, 9, 5), counted(NEW, 9, 6), *over)) == [6]


def test_a_tick_of_a_former_owner_closes_nothing() -> None:
    made = board(told(OLD, 9, SECOND), told(OLD, 9, SECOND, of=1), told(NEW, 3, SECOND), told(OLD, 80, 600 * SECOND))
    assert made.progress.told[SOURCE].position == 9
    assert made.watermark() == SECOND
    assert made.fences.ignored == 1


def test_an_announcement_alone_ends_the_former_ownership() -> None:
    announced = tick(predictions=2)
    announced["tick"]["epochs"] = [["predictions", 0, NEW]]
    over = told(NEW, 90, 60 * SECOND), told(NEW, 90, 60 * SECOND, of=1)
    assert rows(board(counted(OLD, 9, 5), announced, counted(OLD, 30, 99), *over)) == [5]


def test_other_sources_and_older_versions_without_epochs_count() -> None:
    plain = part(group(predictions(2), 0), source=SOURCE, block=1, offset=9000)
    over = told(NEW, 90, 60 * SECOND), told(NEW, 90, 60 * SECOND, of=1)
    assert rows(board(counted(NEW, 9, 5), counted(OLD, 9, 3, of=1), plain, *over)) == [10]


def test_a_group_that_was_deleted_and_began_anew_is_not_held_against_the_old_one() -> None:
    over = told(NEW, 90, 60 * SECOND), told(NEW, 90, 60 * SECOND, of=1)
    reborn = epoch_of(birth_of(NEW) + 5, 1)
    assert rows(board(counted(NEW, 9, 5), counted(reborn, 20, 7), *over)) == [7]


def test_what_a_commit_carries_has_room_in_it() -> None:
    fences = Fences()
    for number in range(5000):
        fences.stands(("predictions", number), epoch_of(1_795_176_000_000, number), number)
    metadata = fences.metadata(5000)
    assert len(metadata) < 4096
    assert len(orjson.loads(metadata)["predictions"]) == MOST_KNOWN
    assert not Fences(metadata).stands(("predictions", 4999), epoch_of(1_795_176_000_000, 4998), 0)


messages = st.lists(
    st.one_of(
        st.builds(
            counted, st.sampled_from([OLD, NEW, NEWEST]), st.integers(1, 40), st.integers(1, 9), of=st.integers(0, 1)
        ),
        st.builds(
            told,
            st.sampled_from([OLD, NEW, NEWEST]),
            st.integers(1, 40),
            st.sampled_from([5, 20, 90]).map(lambda s: s * SECOND),
            of=st.integers(0, 1),
        ),
    ),
    max_size=30,
)


@settings(max_examples=300, deadline=None)
@given(messages, st.integers(0, 30))
def test_reading_again_from_the_floor_gives_the_same_panes(log: list[dict[str, Any]], stop: int) -> None:
    """Panes close as soon as they can, and what was closed stays so for the next owner, as its state says."""
    first, seen = PaneBoard(WINDOWS), set()
    for offset, message in enumerate(log):
        if offset == stop:
            floor = first.floor(offset)
            again = PaneBoard(WINDOWS, first.fences.metadata(floor))
            for model, through in first._closed.items():
                again.closed(model, through)
            for earlier in range(floor, offset):
                again.add(log[earlier], earlier)
                assert not [pane for pane in again.ready() if pane.end not in seen]
            second, first = first, again
            assert first.floor(offset) == floor
            assert first.fences.metadata(floor) == second.fences.metadata(floor)
            assert first._open.keys() == second._open.keys()
            assert {key: pane.parts for key, pane in first._open.items()} == {
                key: pane.parts for key, pane in second._open.items()
            }
        first.add(message, offset)
        for pane in first.ready():
            seen.add(pane.end)
            first.forget(pane)


def test_an_owner_goes_on_from_the_one_before_it() -> None:
    before, now = {"predictions": OLD, "labels": NEW}, {"predictions": OLD + 1, "labels": NEW + 1}
    assert continues(before, now)
    assert not continues(now, now)
    assert not continues(before, now | {"predictions": OLD + 2})
    assert not continues(before, now | {"predictions": epoch_of(BIRTH_MS + 1, 4)})
    assert not continues({"labels": NEW}, now)
    assert not continues(now, before)


def test_the_first_owner_of_a_group_is_younger_than_none_and_older_than_the_next() -> None:
    first = epoch_after(0, BIRTH_MS)
    assert birth_of(first) == BIRTH_MS
    assert epoch_after(first, BIRTH_MS + 99) == first + 1
    assert outdated(first, first + 1)
    assert not outdated(first, epoch_after(0, BIRTH_MS + 99))

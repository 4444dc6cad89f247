"""Of what several owners said of the same records, what holds."""

from typing import Any

import orjson

from app.joining.entries import Side
from app.joining.told import Told
from app.sources.fences import epoch_of

OLD, NEW = epoch_of(1_795_176_000_000, 3), epoch_of(1_795_176_000_000, 5)
OTHER_GROUP = epoch_of(1_795_179_999_000, 6)


def tick(*lines: list[Any], epoch: int, examples: tuple[int, int] | None = None) -> bytes:
    said = {} if examples is None else {"examples": examples}
    epochs = [["predictions", 0, epoch], ["labels", 0, epoch]]
    return orjson.dumps({"tick": {"sources": lines, "epochs": epochs, "expected": {}, **said}})


def example(*rows: tuple[str, int, str]) -> dict[str, Any]:
    ids, times, topics = zip(*rows, strict=True)
    return {"prediction_ids": ids, "label_timestamps": times, "completed_by": [[topic, 9] for topic in topics]}


def told() -> Told:
    return Told(0, {"predictions": 10, "labels": 20})


def test_positions_of_ticks_raise_what_was_reached() -> None:
    found = told()
    found.tick(tick(["predictions", 0, 50, None, False], ["predictions", 1, 90, None, False], epoch=OLD), 0)
    found.tick(b'{"model":"a part says nothing here"}', 1)
    assert found.reached == {"predictions": 50, "labels": 20}


def test_a_position_that_an_older_owner_tells_after_a_newer_one_spoke_is_not_reached() -> None:
    found = told()
    found.tick(tick(epoch=NEW), 0)
    found.tick(tick(["labels", 0, 500, None, False], epoch=OLD), 1)
    assert found.reached["labels"] == 20


def test_of_two_owners_the_newer_one_is_believed_in_either_order() -> None:
    for first, second in ((OLD, NEW), (NEW, OLD)):
        found = told()
        sides = {OLD: "labels", NEW: "predictions"}
        found.example(example(("a", 5, sides[first])), first, 0)
        found.example(example(("a", 5, sides[second])), second, 1)
        assert found.sides == {"a": {5: Side.PREDICTION}}


def test_examples_of_an_older_owner_that_came_after_the_newer_one_knew_all_are_not_believed() -> None:
    """Their parts count for nobody; and the newer owner may not have come to these records yet."""
    found = told()
    found.tick(tick(epoch=NEW, examples=(0, 100)), 0)
    found.example(example(("before", 5, "labels")), OLD, 99)
    found.example(example(("after", 5, "labels")), OLD, 100)
    found.example(example(("own", 5, "labels")), NEW, 101)
    assert found.sides.keys() == {"before", "own"}


def test_neither_another_partition_nor_another_group_fences_examples() -> None:
    found = told()
    found.tick(tick(epoch=NEW, examples=(1, 0)), 0)
    found.tick(tick(epoch=OTHER_GROUP, examples=(0, 0)), 1)
    found.example(example(("a", 5, "labels")), OLD, 7)
    assert found.sides.keys() == {"a"}


def test_our_own_examples_on_their_way_are_known() -> None:
    found = told()
    found.tick(tick(epoch=NEW, examples=(0, 0)), 0)
    found.example(example(("a", 5, "predictions"), ("a", 8, "labels")), NEW, None)
    assert found.sides == {"a": {5: Side.PREDICTION, 8: Side.LABEL}}

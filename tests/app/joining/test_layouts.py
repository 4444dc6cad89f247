"""A layout has the same mark in every store, and is there before what needs it."""

import pytest

from app.joining.layouts import MOST_LAYOUTS, Layout, Layouts

CREDIT = Layout("credit", "1", "classification", ("income", "é"), ("region",), ("no", "yes"), ("channel",), True)


def test_it_is_the_same_in_a_store_made_anew() -> None:
    first, second = Layouts(), Layouts()
    mark = first.mark(CREDIT)
    assert mark is not None
    assert second.mark(CREDIT) == mark == first.mark(CREDIT)
    assert first.mark(CREDIT._replace(version="2")) != mark
    assert first[mark] == CREDIT
    assert CREDIT.width == 5


def test_what_was_written_is_known_again() -> None:
    first = Layouts()
    mark = first.mark(CREDIT)
    again = Layouts(first.unwritten.values())
    assert mark is not None
    assert (again[mark], again.mark(CREDIT), again.unwritten) == (CREDIT, mark, {})


def test_another_store_can_have_all_of_them() -> None:
    first, second = Layouts(), Layouts()
    mark = first.mark(CREDIT)
    first.unwritten.clear()
    second.adopt(first)
    assert mark is not None
    assert second[mark] == CREDIT
    assert set(second.unwritten) == {mark}
    second.unwritten.clear()
    second.adopt(first)
    assert second.unwritten == {}


def test_there_are_not_too_many() -> None:
    layouts = Layouts()
    marks = [layouts.mark(CREDIT._replace(version=str(number))) for number in range(MOST_LAYOUTS + 1)]
    assert None not in marks[:-1]
    assert marks[-1] is None
    assert layouts.mark(CREDIT._replace(version="0")) == marks[0]
    with pytest.raises(KeyError):
        layouts[b"unknown!"]

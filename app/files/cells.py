"""What the cells of a text column are: numbers, truth values or text.

A column has a type when most of its filled cells do: a damaged cell among numbers makes no text of the others. It stays
what it is, text, as a careless producer would send it.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, Literal

Kind = Literal["integer", "number", "boolean", "text"]
# The share of a column's filled cells that must be of its type.
MOST = 0.8
# How programs write a missing number (pandas, R, SQL, spreadsheets). In a text column only the empty cell is missing.
MISSING = frozenset(
    ["", "NA", "N/A", "#N/A", "n/a", "NaN", "nan", "NAN", "-nan", "NULL", "null", "None", "none", "<NA>", "?"]
)
# Python reads 2024_01 as a number.
UNDERSCORE = "_"
INTEGER = re.compile(r"\s*[+-]?\d{1,400}\s*")
NUMBER = re.compile(r"\s*[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf|infinity)\s*", re.IGNORECASE)
TRUTH = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


class Tally:
    """Counts what the cells of a column are."""

    __slots__ = ("booleans", "filled", "integers", "numbers")

    def __init__(self) -> None:
        self.filled = 0
        self.integers = 0
        self.numbers = 0
        self.booleans = 0

    def add(self, cells: Sequence[str]) -> None:
        plain = UNDERSCORE not in "".join(cells)
        if plain and _all(int, cells):
            self._count(len(cells), integers=len(cells), numbers=len(cells))
        elif plain and (values := _floats(cells)) is not None:
            numbers = sum(value == value for value in values)  # NaN is a missing one
            self._count(numbers, numbers=numbers)
        else:
            filled = [cell for cell in cells if cell not in MISSING]
            numbers = sum(map(bool, map(NUMBER.fullmatch, filled)))
            integers = sum(map(bool, map(INTEGER.fullmatch, filled))) if numbers else 0
            self._count(len(filled), integers, numbers, sum(cell in TRUTH for cell in filled))

    def _count(self, filled: int, integers: int = 0, numbers: int = 0, booleans: int = 0) -> None:
        self.filled += filled
        self.integers += integers
        self.numbers += numbers
        self.booleans += booleans

    def kind(self) -> Kind:
        """Of the whole column; an empty one is of numbers, all missing."""
        enough = MOST * self.filled
        if self.numbers >= enough:
            return "integer" if self.integers == self.numbers else "number"
        return "boolean" if self.booleans >= enough else "text"


def converter(kind: Kind) -> Callable[[Sequence[str]], list[Any]]:
    """Cells of such a column -> their values."""
    return {"integer": _integers, "number": _numbers, "boolean": _booleans, "text": _texts}[kind]


def _all(number: Callable[[str], float], cells: Sequence[str]) -> bool:
    try:
        for _ in map(number, cells):
            pass
    except ValueError:
        return False
    return True


def _floats(cells: Sequence[str]) -> list[float] | None:
    try:
        return list(map(float, cells))
    except ValueError:
        return None


def _integers(cells: Sequence[str]) -> list[Any]:
    # One call for a whole column where all is well.
    if UNDERSCORE not in "".join(cells) and _all(int, cells):
        return list(map(int, cells))
    return _each(cells, int, INTEGER)


def _numbers(cells: Sequence[str]) -> list[Any]:
    values = None if UNDERSCORE in "".join(cells) else _floats(cells)
    if values is None:
        return _each(cells, float, NUMBER)
    return [None if value != value else value for value in values]


def _booleans(cells: Sequence[str]) -> list[Any]:
    return [None if cell in MISSING else TRUTH.get(cell, cell) for cell in cells]


def _texts(cells: Sequence[str]) -> list[Any]:
    return [cell or None for cell in cells]


def _each(cells: Sequence[str], number: Callable[[str], float], form: re.Pattern[str]) -> list[Any]:
    return [number(cell) if form.fullmatch(cell) else None if cell in MISSING else cell for cell in cells]

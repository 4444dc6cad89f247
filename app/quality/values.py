"""Columns of values that consistency rules are worked out on, in a logic in which a missing value is unknown.

Truth is 1, untruth 0, and what can't be told NaN: Kleene's strong logic of three values (Introduction to
Metamathematics, 1952, section 64), as the checks of SQL have it.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import FeatureColumn, Floats, Kind

Texts = NDArray[np.object_]
Comparison = Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True)
class Values:
    """n values, each a number (a boolean: 0 or 1), a text, or neither. `numbers`: (n,) NaN where the value is none.
    `texts`: (n,) None where the value is no text; None when none is."""

    numbers: Floats
    texts: Texts | None = None


def of_feature(column: FeatureColumn | None, size: int) -> Values:
    """A feature's values; of one that the rows do not have, none."""
    if column is None:
        return Values(np.full(size, np.nan))
    texts = None if column.values is None else [value if type(value) is str else None for value in column.values]
    return Values(column.numbers, None if texts is None else np.array(texts, np.object_))


def of_text(text: str, size: int) -> Values:
    return Values(np.full(size, np.nan), np.full(size, text, np.object_))


def of_number(number: float, size: int) -> Values:
    return Values(np.full(size, number))


def is_missing(column: FeatureColumn | None, size: int) -> Floats:
    """(n,) 1 where the feature has no value, else 0."""
    if column is None:
        return np.ones(size)
    return np.broadcast_to(np.asarray(column.kinds) == Kind.MISSING, size).astype(np.float64)


def compared(left: Values, compare: Comparison, right: Values) -> Floats:
    """(n,) what `compare` says of two numbers or of two texts; a number and a text can't be compared."""
    found = np.full(len(left.numbers), np.nan)
    known = ~(np.isnan(left.numbers) | np.isnan(right.numbers))
    found[known] = compare(left.numbers[known], right.numbers[known])
    if left.texts is not None and right.texts is not None:
        pairs = zip(left.texts.tolist(), right.texts.tolist(), strict=True)
        told = [np.nan if a is None or b is None else compare(a, b) for a, b in pairs]
        found = np.where(known, found, np.array(told, np.float64))
    return found


def among(values: Values, numbers: Sequence[float], texts: Collection[str]) -> Floats:
    """(n,) whether a value is one of these. A number among texts alone, or a text among numbers, can't be told."""
    found = np.full(len(values.numbers), np.nan)
    if numbers:
        known = ~np.isnan(values.numbers)
        found[known] = np.isin(values.numbers[known], numbers)
    if texts and values.texts is not None:
        told = [np.nan if text is None else text in texts for text in values.texts.tolist()]
        found = np.where(np.isnan(found), np.array(told, np.float64), found)
    return found


def calculated(left: Values, calculate: Comparison, right: Values) -> Values:
    """Arithmetic on numbers; what has no finite result has none."""
    with np.errstate(all="ignore"):
        found = calculate(left.numbers, right.numbers)
    return Values(np.where(np.isfinite(found), found, np.nan))


def as_truth(values: Values) -> Floats:
    """(n,) 1 and 0 as they are; another value is neither true nor false."""
    truth: Floats = np.where((values.numbers == 0) | (values.numbers == 1), values.numbers, np.nan)
    return truth


def both(left: Floats, right: Floats) -> Floats:
    """(n,) untrue where either is, whatever the other is."""
    told: Floats = np.where((left == 0) | (right == 0), 0.0, left * right)
    return told


def either(left: Floats, right: Floats) -> Floats:
    return 1.0 - both(1.0 - left, 1.0 - right)

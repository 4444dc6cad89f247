"""Values of a file's rows, checked: what can't be sent is told in words. `column` is the name for the message."""

import math
from datetime import UTC, date, datetime
from typing import Any

from app.decoding.tabulate import class_name
from app.timestamps import milliseconds

LONGEST_NAME = 200
LARGEST_WEIGHT = 1e12
# Above it neighbouring whole numbers are one to every reader of JSON that has floats only.
EXACT_INTEGERS = 2**53


class RowMistake(ValueError):
    """Why a row is no event."""


def is_missing(value: Any) -> bool:
    """None, empty text and NaN are no value."""
    return value is None or value == "" or value != value  # NaN alone differs from itself


def time_in(column: str, value: Any) -> int:
    """Milliseconds since the epoch; a row has to have it."""
    try:
        at = milliseconds(value) if type(value) in (str, float, int) else _datetime(value)
    except (ValueError, TypeError, OverflowError):
        if is_missing(value):
            raise RowMistake(f"{column}: missing") from None
        form = "RFC 3339 with an offset, epoch seconds or milliseconds"
        raise RowMistake(f"{column}: {shown(value)} is no time ({form})") from None
    if at < 0:
        raise RowMistake(f"{column}: {shown(value)} is before 1970")
    return at


def _datetime(value: Any) -> int:
    if not isinstance(value, datetime):
        raise TypeError
    return milliseconds((value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat())


def number_in(column: str, value: Any, least: float = -math.inf, most: float = math.inf) -> float | int | None:
    """A finite number within its bounds; None where it is missing."""
    kind = type(value)
    if kind is int:
        value = _readable(value)
    elif kind is not float:
        if is_missing(value):
            return None
        raise RowMistake(f"{column}: {shown(value)} is no number")
    number: float | int = value
    if number != number:
        return None
    if not least <= number <= most:
        bounds = f"from {least:g} to {most:g}" if math.isfinite(most) else f"{least:g} or more"
        raise RowMistake(f"{column}: {shown(value)} should be {bounds}")
    if math.isinf(number):
        raise RowMistake(f"{column}: {shown(value)} is no number that JSON has")
    return number


def _readable(number: int) -> float | int:
    """The number that readers of JSON will have: a float where it is no exact integer for them."""
    if -EXACT_INTEGERS <= number <= EXACT_INTEGERS:
        return number
    try:
        return float(number)
    except OverflowError:
        return math.inf


def weight_in(value: Any) -> float | int | None:
    """1 / sampling fraction; None where it is missing."""
    weight = number_in("weight", value, most=LARGEST_WEIGHT)
    if weight is not None and weight <= 0:
        raise RowMistake(f"weight: {value} should be above 0")
    return weight


def feature_in(name: str, value: Any) -> Any:
    """What a feature is on the wire."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return number_in(name, value)
    if isinstance(value, list):
        return [_element(name, element) for element in value]
    if isinstance(value, date):
        return value.isoformat()
    raise RowMistake(f"{name}: {shown(value)} is no feature (a number, text, true or false, a list of numbers)")


def _element(name: str, value: Any) -> float | int:
    number = number_in(name, value)
    if number is None:
        raise RowMistake(f"{name}: a list of numbers has a gap")
    return number


def name_in(column: str, value: Any) -> str | None:
    """A version or a segment, as text; None where it is missing."""
    return None if is_missing(value) else text_in(column, value, LONGEST_NAME)


def text_in(column: str, value: Any, longest: int) -> str:
    """What names something, as text: a number in its shortest form."""
    if isinstance(value, str):
        text = value
    elif isinstance(value, int | float):
        text = str(value) if type(value) is int else str(class_name(value))
    else:
        raise RowMistake(f"{column}: {shown(value)} is no name")
    if len(text) > longest:
        raise RowMistake(f"{column}: {len(text)} characters, and at most {longest} are read")
    return text


def shown(value: Any, longest: int = 40) -> str:
    """The value in a message, cut where it is long."""
    text = repr(value)
    return text if len(text) <= longest else text[: longest - 1] + "…"

"""Event time as whole milliseconds since the epoch, and its two wire forms."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import numpy as np
from numpy.typing import NDArray

# At and above this a bare number means milliseconds, below it seconds (1e11 s is the year 5138, 1e11 ms is 1973).
MILLISECONDS_FROM = 1e11
# Of the digits after the minute, as in ":59.123456".
PLACE_VALUES = {1: 10_000, 2: 1000, 4: 100, 5: 10, 6: 1}


def rfc3339(ms: int) -> str:
    """`ms` as RFC 3339 in UTC with milliseconds, as in ``2026-11-20T12:00:00.123Z``."""
    seconds = datetime.fromtimestamp(ms // 1000, UTC).isoformat()
    return f"{seconds[:19]}.{ms % 1000:03d}Z"  # its offset cut off; strftime would take four times as long


def milliseconds(value: str | int | float) -> int:
    """The time that RFC 3339 text, epoch seconds or epoch milliseconds name, cut to whole milliseconds.

    Raises ValueError for text without an offset, for what is no time, and for infinities.
    """
    if isinstance(value, str):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError(f"timestamp {value!r} has no UTC offset")
        return round(moment.timestamp() * 1_000_000) // 1000
    scaled = float(value) if abs(value) >= MILLISECONDS_FROM else round(float(value) * 1_000_000) / 1000
    if not abs(scaled) < 2**53:
        raise ValueError(f"timestamp {value!r} is out of range")
    return int(scaled // 1)


def milliseconds_of(texts: Sequence[str]) -> NDArray[np.int64] | None:
    """Many times at once, (n,): of texts of one form, ``2026-11-20T12:00:00Z`` with up to six more digits, or +00:00.

    None where one of them has another form, which need not make it wrong.
    """
    width = len(texts[0])
    joined = "".join(texts)
    if not width or set(map(len, texts)) != {width} or not joined.isascii():
        return None
    characters = np.frombuffer(joined.encode(), np.uint8).reshape(-1, width)
    zone = len("Z") if texts[0].endswith("Z") else len("+00:00")
    digits = width - zone - len("2026-11-20T12:00:00.")
    seconds = _seconds(characters, zone, digits)
    if seconds is None:
        return None
    try:
        if (characters[:, :16] == characters[0, :16]).all():
            return _minute(texts[0][:16]) + seconds
        minutes = [text[:16] for text in texts]
        starts = {minute: _minute(minute) for minute in set(minutes)}
    except msgspec.ValidationError:
        return None
    return np.fromiter(map(starts.__getitem__, minutes), np.int64, len(minutes)) + seconds


def _seconds(characters: NDArray[np.uint8], zone: int, digits: int) -> NDArray[np.int64] | None:
    """Milliseconds within the minute, (n,); None where what follows the minute has not the form."""
    if digits != -1 and not 1 <= digits <= 6:
        return None
    template = b":00" + (b"" if digits < 0 else b"." + b"0" * digits) + (b"Z" if zone == 1 else b"+00:00")
    numbers = [1, 2, *range(4, 4 + max(digits, 0))]
    milliseconds = np.zeros(len(characters), np.int64)
    for place, character in enumerate(template):
        column = characters[:, 16 + place]
        if place not in numbers:
            if (column != character).any():
                return None
            continue
        digit = column - np.uint8(ord("0"))  # what is below "0" wraps round to more than 9
        if (digit > (5 if place == 1 else 9)).any():
            return None
        if place in PLACE_VALUES:
            milliseconds += digit * np.int64(PLACE_VALUES[place])
    return milliseconds


def _minute(text: str) -> int:
    """`text`: to the minute, in UTC. Raises msgspec.ValidationError."""
    return round(msgspec.convert(f"{text}:00Z", datetime).timestamp()) * 1000

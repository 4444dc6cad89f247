"""Event time as whole milliseconds since the epoch, and its two wire forms."""

from datetime import UTC, datetime

# At and above this a bare number means milliseconds, below it seconds (1e11 s is the year 5138, 1e11 ms is 1973).
MILLISECONDS_FROM = 1e11


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

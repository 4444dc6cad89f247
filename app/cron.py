"""Five-field cron expressions: minute, hour, day of month, month, day of week."""

from dataclasses import dataclass
from typing import NamedTuple

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


class Field(NamedTuple):
    """The values that a field may take: `first` to `last`, or the names, of which the first one means `first`."""

    name: str
    first: int
    last: int
    names: tuple[str, ...] = ()


FIELDS = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of month", 1, 31),
    Field("month", 1, 12, MONTHS),
    Field("day of week", 0, 7, WEEKDAYS),
)


@dataclass(frozen=True, slots=True)
class Cron:
    """The values that match, by field. Weekdays count from Sunday = 0 (7 is Sunday too).

    `any_day`, `any_weekday`: the field was `*`. Where neither is, a day matches by either field, as in crontab(5).
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    any_weekday: bool


def parse(text: str) -> Cron:
    """Reads `text`. Raises ValueError that names the field which is wrong."""
    parts = text.split()
    if len(parts) != len(FIELDS):
        names = ", ".join(field.name for field in FIELDS)
        raise ValueError(f"a schedule has five fields ({names}), got {len(parts)}")
    minutes, hours, days, months, weekdays = (_values(part, field) for part, field in zip(parts, FIELDS, strict=True))
    weekdays = frozenset(day % 7 for day in weekdays)
    return Cron(minutes, hours, days, months, weekdays, parts[2].startswith("*"), parts[4].startswith("*"))


def _values(part: str, field: Field) -> frozenset[int]:
    return frozenset(value for item in part.split(",") for value in _range(item, field))


def _range(item: str, field: Field) -> range:
    span, slash, step = item.partition("/")
    low, dash, high = span.partition("-")
    if span == "*":
        first, last = field.first, field.last
    else:
        first = _value(low, field)
        last = _value(high, field) if dash else field.last if slash else first
    if last < first:
        raise ValueError(f"{field.name}: {item!r} runs backwards")
    if slash and not (step.isdecimal() and int(step) > 0):
        raise ValueError(f"{field.name}: the step in {item!r} must be a whole number above 0")
    return range(first, last + 1, int(step) if slash else 1)


def _value(text: str, field: Field) -> int:
    if text.lower() in field.names:
        return field.first + field.names.index(text.lower())
    if not (text.isdecimal() and field.first <= int(text) <= field.last):
        raise ValueError(f"{field.name}: {text!r} is not within {field.first}-{field.last}")
    return int(text)

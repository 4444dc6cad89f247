"""Segments: one value of one column of the traffic, as in ``{"channel": "web"}``; all of it is the empty segment."""

from collections.abc import Sequence

from app.decoding.columns import PredictionColumns
from app.decoding.tabulate import class_names

Segment = tuple[tuple[str, str], ...]
EVERYTHING: Segment = ()

# A value longer than this is no name of a segment; without a limit one damaged record would make a key of a megabyte.
LONGEST_VALUE = 200
# More columns than these make no sense as segments when nobody asked for them.
MOST_COLUMNS = 8


def as_object(segment: Segment) -> dict[str, str]:
    return dict(segment)


def from_object(value: dict[str, str]) -> Segment:
    return tuple(sorted(value.items()))


def segment_values(columns: PredictionColumns, configured: Sequence[str] | None) -> dict[str, list[str | None]]:
    """Column -> value of each row. Names are entries of `segments` or features; without any, all entries are taken."""
    if configured is None:
        return dict(sorted(columns.segments.items())[:MOST_COLUMNS])
    return {name: values for name in configured if (values := _values(columns, name)) is not None}


def _values(columns: PredictionColumns, name: str) -> list[str | None] | None:
    if name in columns.segments:
        return columns.segments[name]
    feature = columns.features.get(name)
    if feature is None:
        return None
    if feature.values is None:
        return [None if value != value else class_names([value])[0] for value in feature.numbers.tolist()]
    return class_names([value if not isinstance(value, list) else None for value in feature.values])

"""Event time of a source partition: how far it has come, and which rows come too late for their pane."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import Ints
from app.settings import WindowSettings
from app.timestamps import MILLISECONDS_FROM

LARGEST = 2.0**53


def event_times(moments: Sequence[datetime | float]) -> Ints:
    """Milliseconds since the epoch, (n,), of times as the decoder gives them: whole ms, cut as `milliseconds` does."""
    kinds = set(map(type, moments))
    if kinds == {datetime}:
        seconds = np.array([moment.timestamp() for moment in moments])  # type: ignore[union-attr]
        micros: Ints = np.rint(seconds * 1e6).astype(np.int64)
        millis: Ints = micros // 1000
        return millis
    if kinds <= {float}:
        numbers = np.clip(np.asarray(moments, np.float64), -LARGEST, LARGEST)
        in_ms = np.where(np.abs(numbers) >= MILLISECONDS_FROM, numbers, np.rint(numbers * 1e6) / 1000)
        floored: Ints = np.floor(np.clip(in_ms, -LARGEST, LARGEST)).astype(np.int64)
        return floored
    return np.concatenate([event_times([moment]) for moment in moments])


def earlier_maximum(times: Ints, offsets: Ints, watermark: int | None) -> Ints:
    """For each row the largest event time of earlier offsets, (n,); the smallest int64 where there is none.

    Rows of one record (equal offsets) do not count for each other.
    """
    start = np.iinfo(np.int64).min if watermark is None else watermark
    running = np.maximum.accumulate(np.concatenate(([start], times)))
    first_of_record = np.searchsorted(offsets, offsets, side="left") if _has_batches(offsets) else np.arange(len(times))
    return running[first_of_record]


def implausible(times: Ints, kafka_times: Ints, max_ahead_ms: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which times can't be true, (n,) each: further than allowed ahead of the Kafka record's, and before 1970.

    `kafka_times`: (n,) ms, negative where a record has none: then nothing is ahead of it.
    """
    return (kafka_times >= 0) & (times > kafka_times + max_ahead_ms), times < 0


def _has_batches(offsets: Ints) -> bool:
    return bool((offsets[1:] == offsets[:-1]).any())


def late_rows(times: Ints, before: Ints, pane_ms: int, lateness_ms: int) -> NDArray[np.bool_]:
    """Where a row's pane end plus the allowed lateness is at or below the watermark `before` it, (n,)."""
    pane_ends = times - times % pane_ms + pane_ms
    return before >= pane_ends + lateness_ms


def windows_end(event: int, windows: WindowSettings) -> int:
    """The watermark (ms) that closes the tumbling windows in which the last `event` of history is, and no more."""
    longest = max([*windows.tumbling_ms, windows.pane_ms])
    return event - event % longest + longest + windows.lateness_ms

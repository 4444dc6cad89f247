"""Readings of windows as rules see them, for the tests of rules and incidents."""

from collections.abc import Mapping
from typing import Any

from app.rules import Reading
from app.segments import EVERYTHING, Segment
from tests.app.closing import MINUTE

WEB: Segment = (("channel", "web"),)


def a_reading(
    number: int = 0,
    *,
    predictions: int = 1000,
    labels: int = 1000,
    version: str = "1",
    segment: Segment = EVERYTHING,
    data_quality: Mapping[str, Mapping[str, float]] | None = None,
    drift: Mapping[str, Mapping[str, float]] | None = None,
    missing_before: Mapping[str, float] | None = None,
    latency: Any = None,
    **metrics: float,
) -> Reading:
    """The window of minute `number`."""
    return Reading(
        version=version,
        segment=segment,
        start=number * MINUTE,
        end=(number + 1) * MINUTE,
        window_id=f"window-{number}",
        predictions=predictions,
        labels=labels,
        metrics=metrics,
        data_quality=data_quality or {},
        drift=drift or {},
        latency=latency,
        missing_before=missing_before or {},
    )

"""Readings of windows as rules see them, for the tests of rules and incidents."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from app.alerts.rules import Reading
from app.decoding.columns import Floats
from app.detection.bins import Counted
from app.segments import EVERYTHING, Segment
from app.statistics.groups import Groups
from app.statistics.histogram import Buckets, LogHistogram
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
    errors: Any = None,
    counted: Counted | None = None,
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
        feature_rows=predictions,
        baseline_id="b" if missing_before or counted else None,
        baseline_rows=10_000 if missing_before or counted else 0,
        errors=errors,
        counted=counted,
    )


def histogram(values: Floats) -> LogHistogram:
    """Of latencies or errors."""
    found = LogHistogram()
    LogHistogram.update([found], Groups(np.zeros(len(values), np.int64), 1), Buckets(values))
    return found


def in_bins(**features: list[int]) -> Counted:
    """Rows of each feature in four bins of which the baseline has 2,500 rows each."""
    counts = np.array([count for own in features.values() for count in own], np.int64)
    starts = np.arange(len(features)) * 4
    ordered = np.ones(len(features), np.bool_)
    return Counted("b", list(features), starts, ordered, counts, np.full(len(counts), 2500))

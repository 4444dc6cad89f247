"""Traffic as a serving system makes it: JSON predictions with ten numeric features, alone or in columns, and labels."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from app.drift.baseline import Baseline
from app.drift.fitting import ReferenceData, fit
from app.timestamps import rfc3339

MODEL, VERSION = "bench", "1"
FEATURES = tuple(f"x{place}" for place in range(10))
CHANNELS, REGIONS = ("app", "branch", "web"), ("east", "north", "south", "west")
CLASSES = ("approve", "reject")
RATE_PER_S = 5_000  # of event time
SLICE = 50_000  # events made at a time
BATCH_ROWS = 1_000
BASELINE_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Rows:
    """n predictions in columns of Python values, in the order of sending."""

    ids: list[str]
    times: list[str]
    features: dict[str, list[float]]
    predictions: list[str]
    approve: list[float]
    reject: list[float]
    latency_ms: list[float]
    channels: list[str]
    regions: list[str]
    labels: list[str]
    label_times: list[str]


@dataclass(frozen=True, slots=True)
class Record:
    """What is sent, and how many rows it counts as."""

    key: bytes
    value: bytes
    rows: int = 1


def slices(count: int, start_ms: int) -> Iterator[Rows]:
    """`count` rows, some thousands at a time, from `start_ms` on; the same at each call."""
    for first in range(0, count, SLICE):
        yield _rows(first, min(SLICE, count - first), start_ms)


def _rows(first: int, count: int, start_ms: int) -> Rows:
    random = np.random.default_rng(first)
    places = np.arange(first, first + count)
    # A second out of order, and labels some seconds later: nothing of it is late.
    times = start_ms + places * 1000 // RATE_PER_S + random.integers(-500, 500, count)
    label_times = times + random.integers(1000, 3000, count)
    approve = random.beta(2, 2, count).round(4)
    truth = random.random(count) < approve
    return Rows(
        ids=[f"p-{place:010d}" for place in places.tolist()],
        times=[rfc3339(time) for time in times.tolist()],
        features={name: _feature(random, place, count) for place, name in enumerate(FEATURES)},
        predictions=[CLASSES[score < 0.5] for score in approve.tolist()],
        approve=approve.tolist(),
        reject=(1 - approve).round(4).tolist(),
        latency_ms=random.lognormal(2, 0.7, count).round(2).tolist(),
        channels=[CHANNELS[place % 3] for place in places.tolist()],
        regions=[REGIONS[place % 7 % 4] for place in places.tolist()],
        labels=[CLASSES[not good] for good in truth.tolist()],
        label_times=[rfc3339(time) for time in label_times.tolist()],
    )


def _feature(random: np.random.Generator, place: int, count: int) -> list[float]:
    """Normal or skewed, on a scale of its own."""
    values = random.normal(size=count) if place % 2 else random.lognormal(size=count)
    scaled: list[float] = (values * 4.0 ** (place % 4)).round(3).tolist()
    return scaled


def single(rows: Rows) -> Iterator[Record]:
    """A record for each prediction."""
    columns = zip(*rows.features.values(), strict=True)
    for i, (identity, values) in enumerate(zip(rows.ids, columns, strict=True)):
        event = {
            "prediction_id": identity,
            "model": MODEL,
            "version": VERSION,
            "timestamp": rows.times[i],
            "features": dict(zip(FEATURES, values, strict=True)),
            "prediction": rows.predictions[i],
            "probabilities": {"approve": rows.approve[i], "reject": rows.reject[i]},
            "latency_ms": rows.latency_ms[i],
            "segments": {"channel": rows.channels[i], "region": rows.regions[i]},
        }
        yield Record(identity.encode(), orjson.dumps(event))


def labels(rows: Rows) -> Iterator[Record]:
    """A record for each label."""
    for identity, label, time in zip(rows.ids, rows.labels, rows.label_times, strict=True):
        value = orjson.dumps({"prediction_id": identity, "label": label, "timestamp": time})
        yield Record(identity.encode(), value)


def batches(rows: Rows) -> Iterator[Record]:
    """A record in columns for each `BATCH_ROWS` predictions."""
    for start in range(0, len(rows.ids), BATCH_ROWS):
        part = slice(start, start + BATCH_ROWS)
        event: dict[str, Any] = {
            "prediction_ids": rows.ids[part],
            "model": MODEL,
            "version": VERSION,
            "timestamps": rows.times[part],
            "features": {name: values[part] for name, values in rows.features.items()},
            "predictions": rows.predictions[part],
            "probabilities": {"approve": rows.approve[part], "reject": rows.reject[part]},
            "latency_ms": rows.latency_ms[part],
            "segments": {"channel": rows.channels[part], "region": rows.regions[part]},
        }
        yield Record(rows.ids[start].encode(), orjson.dumps(event), len(rows.ids[part]))


def baseline(start_ms: int) -> Baseline:
    """What the first rows look like: with it every feature is counted into bins, as in a service that runs."""
    rows = _rows(0, BASELINE_ROWS, start_ms)
    return fit(MODEL, VERSION, ReferenceData(rows.features, rows.predictions), created_at=start_ms, origin="file")

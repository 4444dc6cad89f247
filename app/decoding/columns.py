"""Rows of one model version as columns: what the statistics read. Records are decoded in `app/decoding/decode.py`."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Kind(IntEnum):
    """What a feature's value is on the wire."""

    MISSING = 0
    NUMBER = 1
    TEXT = 2
    BOOLEAN = 3
    VECTOR = 4


@dataclass(slots=True)
class FeatureColumn:
    """One feature over n rows.

    `kinds`: a `Kind` per row (n,), or one for all rows. `numbers`: (n,) the value where it is a number (a boolean:
    0 or 1), NaN elsewhere. `values`: the raw values in row order, None when every row is a number or missing.
    `absent`: (n,) the rows that do not name the feature, None when all do; another missing value is an explicit null.
    """

    kinds: NDArray[np.uint8] | Kind
    numbers: Floats
    values: list[Any] | None
    absent: NDArray[np.bool_] | None = None


@dataclass(slots=True)
class Probabilities:
    """`matrix`: (n, k) over the k sorted `classes`; a row of NaN where the record gave none."""

    classes: tuple[str, ...]
    matrix: Floats


@dataclass(slots=True)
class PredictionColumns:
    """n predictions of one model version, in offset order.

    `timestamps` in ms; `latency_ms` NaN where absent; `weights` None when all are 1. Classification fills `predicted`
    (class names, None where the record carried an error), regression fills `values` (NaN where absent).
    `as_sent`: what was predicted as it is on the wire, null where the record carried an error.
    `segments`: column name -> value per row, None where the row has none.
    """

    model: str
    version: str
    task: str
    offsets: Ints
    timestamps: Ints
    ids: list[str]
    failed: NDArray[np.bool_]
    weights: Floats | None
    latency_ms: Floats
    features: dict[str, FeatureColumn]
    as_sent: list[Any]
    predicted: list[str | None]
    values: Floats
    probabilities: Probabilities | None
    segments: dict[str, list[str | None]]

    @property
    def size(self) -> int:
        return len(self.timestamps)


@dataclass(slots=True)
class PairColumns:
    """n predictions with their labels. `lag_ms`: label time - prediction time, at least 0."""

    model: str
    version: str
    task: str
    weights: Floats | None
    predicted: list[str | None]
    values: Floats
    probabilities: Probabilities | None
    labels: list[str | None]
    label_values: Floats
    lag_ms: Ints

    @property
    def size(self) -> int:
        return len(self.lag_ms)


@dataclass(slots=True)
class ResourceColumns:
    """n resource readings of one model version; a figure is NaN where absent."""

    model: str
    version: str
    timestamps: Ints
    instances: list[str]
    cpu_percent: Floats
    memory_bytes: Floats
    gpu_percent: Floats
    gpu_memory_bytes: Floats

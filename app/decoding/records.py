"""The fast typed form of the high-rate topics' records: what the decoder fills, field by field, without a model object.

The contract in full, with its documentation, is in `app/events/`; these structs only name what is read, and one test
holds both against the same examples. A record is either a single event or a batch of rows in columns.
"""

from datetime import datetime
from typing import Annotated

import msgspec

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Identity = Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)] | float
# As it is on the wire: a batch's times are read all at once (`app/decoding/batches.py`).
RawMoment = str | float
# A little beyond [0, 1], since sums of float32 shares are.
Share = Annotated[float, msgspec.Meta(ge=-1e-6, le=1 + 1e-6)]
Weight = Annotated[float, msgspec.Meta(gt=0, le=1e12)]
Scalar = float | str | bool | None
Label = Scalar
Feature = float | str | bool | list[float | str | bool | list[float] | None] | None
Failure = str | bool | None


class PredictionRecord(msgspec.Struct, gc=False):
    """A prediction, or a batch of them in columns (then `prediction_ids` is there)."""

    model: Name
    version: Name
    prediction_id: Identity | None = None
    timestamp: Moment | None = None
    features: dict[str, Feature] = {}
    prediction: Scalar = None
    probabilities: dict[str, Share | list[Share | None] | None] | None = None
    latency_ms: float | list[float | None] | None = None
    segments: dict[str, Scalar | list[Scalar]] | None = None
    error: Failure = None
    weight: Weight | None = None
    prediction_ids: list[Identity] | None = None
    timestamps: list[RawMoment] | None = None
    predictions: list[Scalar] | None = None
    errors: list[Failure] | None = None
    weights: list[Weight | None] | None = None


class LabelRecord(msgspec.Struct, gc=False):
    """What turned out to be true of one prediction, or of a batch of them in columns."""

    prediction_id: Identity | None = None
    label: Label = None
    timestamp: Moment | None = None
    prediction_ids: list[Identity] | None = None
    labels: list[Label] | None = None
    timestamps: list[RawMoment] | None = None


class PlainLabelRecord(msgspec.Struct, gc=False):
    """A label alone with its time as text, as nearly all are: what does not fit is a `LabelRecord`."""

    prediction_id: Identity
    label: float | str | bool
    timestamp: str
    prediction_ids: None = None
    labels: None = None
    timestamps: None = None


class ResourceRecord(msgspec.Struct, gc=False):
    """One reading of an instance's processor, memory and accelerator."""

    model: Name
    version: Name
    instance: Name
    timestamp: Moment
    cpu_percent: float | None = None
    memory_bytes: float | None = None
    gpu_percent: float | None = None
    gpu_memory_bytes: float | None = None


decode_prediction = msgspec.json.Decoder(PredictionRecord).decode
decode_plain_label = msgspec.json.Decoder(PlainLabelRecord).decode
decode_label = msgspec.json.Decoder(LabelRecord).decode
decode_resource = msgspec.json.Decoder(ResourceRecord).decode

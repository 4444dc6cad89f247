"""What serving systems publish on `predictions`."""

from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, model_validator

from app.events.fields import (
    Event,
    EventTime,
    Failure,
    Feature,
    Latency,
    ModelName,
    Outcome,
    PredictionId,
    Probability,
    SegmentValue,
    VersionName,
    Weight,
    any_of,
    require_any_of,
)

PREDICTION: dict[str, Any] = {
    "prediction_id": "7c1e",
    "model": "credit",
    "version": "3",
    "timestamp": "2026-11-20T12:00:00.123Z",
    "features": {"income": 41000.0, "region": "north", "defaults": None},
    "prediction": "approve",
    "probabilities": {"approve": 0.83, "reject": 0.17},
    "latency_ms": 12.4,
    "segments": {"channel": "web"},
    "error": None,
    "weight": 1.0,
}
FAILED: dict[str, Any] = {
    "prediction_id": "7c1f",
    "model": "credit",
    "version": "3",
    "timestamp": 1795176000.123,
    "error": "timeout",
}
BATCH: dict[str, Any] = {
    "prediction_ids": ["7c20", "7c21"],
    "model": "credit",
    "version": "3",
    "timestamps": ["2026-11-20T12:00:01Z", "2026-11-20T12:00:01.500Z"],
    "features": {"income": [41000.0, None], "region": ["north", "south"]},
    "predictions": ["approve", "reject"],
    "probabilities": {"approve": [0.83, 0.4], "reject": [0.17, 0.6]},
    "latency_ms": 12.4,
    "segments": {"channel": ["web", "branch"]},
}


class Prediction(Event):
    """One prediction, or one that failed. The record's key is its `prediction_id`."""

    model_config = ConfigDict(json_schema_extra=any_of("prediction", "error") | {"examples": [PREDICTION, FAILED]})

    prediction_id: PredictionId
    model: ModelName
    version: VersionName
    timestamp: EventTime
    features: dict[str, Feature] = Field(default={}, description="What the model was given, by name.")
    prediction: Outcome | None = None
    probabilities: dict[str, Probability | None] | None = Field(
        default=None, description="By class; of a binary model one is enough, the other is 1 - p."
    )
    latency_ms: Latency | None = None
    segments: dict[str, SegmentValue] | None = Field(default=None, description="Columns that the traffic is cut by.")
    error: Failure = None
    weight: Weight | None = None

    @model_validator(mode="after")
    def _answered_or_failed(self) -> Self:
        require_any_of(self, "prediction", "error")
        return self


class PredictionBatch(Event):
    """Rows of one model version as columns. Every list has a value for each of `prediction_ids`; what all rows share
    may be given once (`timestamp`, `latency_ms`, `error`, `weight`, a segment). It counts as its rows."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [any_of("predictions", "errors"), any_of("timestamp", "timestamps")],
            "examples": [BATCH],
        }
    )

    prediction_ids: list[PredictionId]
    model: ModelName
    version: VersionName
    timestamp: EventTime | None = None
    timestamps: list[EventTime] | None = None
    features: dict[str, list[Feature]] = Field(default={}, description="A column for each feature.")
    predictions: list[Outcome | None] | None = Field(default=None, description="Null where the row has an error.")
    probabilities: dict[str, list[Probability | None]] | None = Field(default=None, description="A column for a class.")
    latency_ms: Latency | list[Latency | None] | None = None
    segments: dict[str, SegmentValue | list[SegmentValue]] | None = None
    error: Failure = None
    errors: list[Failure] | None = None
    weight: Weight | None = None
    weights: list[Weight | None] | None = None

    @model_validator(mode="after")
    def _columns_fit(self) -> Self:
        require_any_of(self, "predictions", "errors")
        require_any_of(self, "timestamp", "timestamps")
        rows = len(self.prediction_ids)
        for name, column in self._columns().items():
            if isinstance(column, list) and len(column) != rows:
                raise ValueError(f"{rows} prediction_ids, but {len(column)} values in {name}")
        return self

    def _columns(self) -> dict[str, Any]:
        found = {name: getattr(self, name) for name in ("timestamps", "predictions", "latency_ms", "errors", "weights")}
        for group in ("features", "probabilities", "segments"):
            found |= {f"{group}.{name}": column for name, column in (getattr(self, group) or {}).items()}
        return found


PredictionRecord = Annotated[Prediction | PredictionBatch, Field(description="One prediction, or a batch of rows.")]

"""What turned out to be true, on `labels`."""

from typing import Any, Self

from pydantic import ConfigDict, Field, model_validator

from app.events.fields import Event, EventTime, Outcome, PredictionId

LABEL: dict[str, Any] = {"prediction_id": "7c1e", "label": "reject", "timestamp": "2026-11-23T08:30:00Z"}
BATCH: dict[str, Any] = {
    "prediction_ids": ["7c20", "7c21"],
    "labels": ["approve", "reject"],
    "timestamp": "2026-11-23T08:30:00Z",
}


class Label(Event):
    """The truth of one prediction. The record's key is that of the prediction's record, its `prediction_id`."""

    model_config = ConfigDict(json_schema_extra={"examples": [LABEL]})

    prediction_id: PredictionId
    label: Outcome
    timestamp: EventTime | None = Field(default=None, description="When it became known; absent: the Kafka record's.")


class LabelBatch(Event):
    """The truth of several predictions, in columns. The record's key is that of the batch of the predictions."""

    model_config = ConfigDict(json_schema_extra={"examples": [BATCH]})

    prediction_ids: list[PredictionId]
    labels: list[Outcome]
    timestamp: EventTime | None = Field(default=None, description="When all became known; absent: the Kafka record's.")
    timestamps: list[EventTime] | None = Field(default=None, description="When each became known.")

    @model_validator(mode="after")
    def _columns_fit(self) -> Self:
        for name, column in (("labels", self.labels), ("timestamps", self.timestamps)):
            if column is not None and len(column) != len(self.prediction_ids):
                raise ValueError(f"{len(self.prediction_ids)} prediction_ids, but {len(column)} values in {name}")
        return self

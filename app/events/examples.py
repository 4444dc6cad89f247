"""Predictions joined with their truth, on `examples`: what models are trained on."""

from typing import Any, Self

from pydantic import ConfigDict, Field, model_validator

from app.events.fields import Event, EventTime, Feature, ModelName, Outcome, Probability, VersionName

EXAMPLE: dict[str, Any] = {
    "model": "credit",
    "version": "3",
    "prediction_ids": ["7c20", "7c21"],
    "timestamps": [1795176001000, 1795176001500],
    "label_timestamps": [1795422600000, 1795422600000],
    "features": {"income": [41000.0, None], "region": ["north", "south"]},
    "predictions": ["approve", "reject"],
    "probabilities": {"approve": [0.83, 0.4], "reject": [0.17, 0.6]},
    "labels": ["approve", "reject"],
    "segments": {"channel": ["web", "branch"]},
    "completed_by": [["labels", 102], ["labels", 107]],
}


class Examples(Event):
    """Rows of one model version in columns of equal length, in the partition of their sources."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    model: ModelName
    version: VersionName
    prediction_ids: list[str]
    timestamps: list[EventTime] = Field(description="Of the predictions.")
    label_timestamps: list[EventTime]
    features: dict[str, list[Feature]] = Field(description="A column for each feature; null where a row has none.")
    predictions: list[Outcome | None]
    probabilities: dict[str, list[Probability | None]] = Field(default={}, description="A column for each class.")
    labels: list[Outcome]
    segments: dict[str, list[str | None]] = Field(default={}, description="A column for each that is followed.")
    completed_by: list[tuple[str, int]] = Field(
        description="Topic and offset of the record that completed each pair, whichever of the two came last."
    )

    @model_validator(mode="after")
    def _columns_fit(self) -> Self:
        columns: dict[str, list[Any]] = {
            name: getattr(self, name)
            for name in ("timestamps", "label_timestamps", "predictions", "labels", "completed_by")
        }
        for group in ("features", "probabilities", "segments"):
            columns |= {f"{group}.{name}": column for name, column in getattr(self, group).items()}
        for name, column in columns.items():
            if len(column) != len(self.prediction_ids):
                raise ValueError(f"{len(self.prediction_ids)} prediction_ids, but {len(column)} values in {name}")
        return self

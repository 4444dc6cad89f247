"""The references that drift and data quality are measured against, on `baselines`."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from app.events.fields import Event, Id, ModelName, Rfc3339, VersionName

BASELINE: dict[str, Any] = {
    "baseline_id": "5f0c3a9be1d24478",
    "model": "credit",
    "version": "3",
    "created_at": "2026-11-19T00:00:00.000Z",
    "origin": "file",
    "size": 5000,
    "effective_from": None,
    "features": {
        "income": {
            "type": "number",
            "edges": [20000.0, 40000.0],
            "counts": [1500, 2000, 1400],
            "min": 8000.0,
            "max": 210000.0,
            "missing": 100,
        }
    },
    "predictions": {
        "type": "text",
        "categories": ["approve", "reject"],
        "counts": [3500, 1500],
        "other": 0,
        "known": ["approve", "reject"],
        "missing": 0,
    },
}


class Reference(Event):
    """The bins and counts of one feature; what else there is depends on `type`."""

    model_config = ConfigDict(extra="allow")

    type: Literal["number", "text", "boolean", "vector"]
    missing: int = Field(ge=0, description="Rows without a value.")


class Relations(Event):
    """How number features hang together: principal components, and the bins of the rows' distance from them."""

    names: list[str] = Field(description="The features.")
    components: dict[str, Any] = Field(description="Means, deviations, and the components that are not kept.")
    errors: Reference = Field(description="Of the rows' reconstruction errors.")
    error_mean: float
    error_deviation: float
    sample: str = Field(description="Base64: for each row of a sample one byte a feature, its bin; 255 for none.")


class Inherited(Event):
    """The version that a baseline was fitted for at first."""

    version: VersionName
    baseline_id: Id


class BaselineRecord(Event):
    """What a model version's data looked like when all was well: bins and counts, and no values of rows. Made by
    `inferwatch baseline fit` and `inferwatch baseline inherit`, or from the first healthy events."""

    model_config = ConfigDict(json_schema_extra={"examples": [BASELINE]})

    baseline_id: Id
    model: ModelName
    version: VersionName
    created_at: Rfc3339
    origin: Literal["file", "period", "stream", "inherited"] = Field(
        description="What it was fitted from: a file, a period of the stream, its first events, another version."
    )
    size: int = Field(ge=1, description="Rows that it was fitted from.")
    effective_from: Rfc3339 | None = Field(default=None, description="Event time from which it counts; null: always.")
    start: Rfc3339 | None = Field(default=None, description="Event time of the first row; null where not known.")
    end: Rfc3339 | None = Field(default=None, description="Event time of the last row; null where not known.")
    features: dict[str, Reference]
    predictions: Reference | None = Field(default=None, description="Of the predictions themselves.")
    labels: Reference | None = Field(default=None, description="Of the truth, where it is known.")
    scores: Reference | None = Field(default=None, description="Of the classes' probabilities, where there are any.")
    inherited: Inherited | None = Field(default=None, description="Of which version it was.")
    performance: dict[str, Any] | None = Field(
        default=None, description="What probabilities and features were worth in labelled rows; null without labels."
    )
    rhythm: dict[str, Any] | None = Field(
        default=None, description="How much the rows differ from time to time; null where too few have a time."
    )
    relations: Relations | None = Field(default=None, description="Between number features; null with fewer than two.")

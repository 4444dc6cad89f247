"""What was seen in a stretch of event time, on `windows`."""

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, WithJsonSchema, model_validator

from app.events.fields import Event, Id, ModelName, Rfc3339, Segment, VersionName
from app.figure_names import DATA_QUALITY, DRIFT, METRICS, described

WINDOW: dict[str, Any] = {
    "window_id": "0b6f5c1d2e3a4f50",
    "model": "credit",
    "version": "3",
    "segment": {},
    "kind": "tumbling",
    "start": "2026-11-20T12:00:00.000Z",
    "end": "2026-11-20T12:01:00.000Z",
    "predictions": 12000,
    "labels": 9000,
    "errors": 3,
    "metrics": {
        "accuracy": 0.91,
        "f1": 0.88,
        "latency_p50_ms": 8.1,
        "latency_p99_ms": 44.0,
        "throughput_per_s": 200.0,
        "error_rate": 0.00025,
        "label_coverage": 0.75,
        "estimated_accuracy": 0.90,
    },
    "data_quality": {"income": {"missing": 0.01, "type_errors": 0, "out_of_range": 0.002, "unseen": 0}},
    "drift": {
        "income": {"psi": 0.04, "js": 0.01, "ks": 0.03, "wasserstein": 0.02, "p_value": 0.4, "drifted": False},
    },
}
COHORT: dict[str, Any] = WINDOW | {
    "window_id": "77e0a1b2c3d4e5f6",
    "kind": "cohort",
    "start": "2026-11-20T00:00:00.000Z",
    "end": "2026-11-21T00:00:00.000Z",
    "revision": 4,
}
# Only cohorts are published again, and carry which time it is.
REVISED: dict[str, Any] = {
    "if": {"properties": {"kind": {"const": "cohort"}}},
    "then": {"required": ["revision"], "properties": {"revision": {"type": "integer"}}},
    "else": {"properties": {"revision": {"type": "null"}}},
}
Metrics = Annotated[dict[str, float], WithJsonSchema(described(METRICS))]
Quality = Annotated[dict[str, float], WithJsonSchema(described(DATA_QUALITY))]
Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class Drift(Event):
    """How far a feature's distribution is from the baseline's; what was not computed is absent."""

    model_config = ConfigDict(extra="allow")

    psi: float | None = Field(default=None, description=DRIFT["psi"])
    js: float | None = Field(default=None, description=DRIFT["js"])
    hellinger: float | None = Field(default=None, description=DRIFT["hellinger"])
    total_variation: float | None = Field(default=None, description=DRIFT["total_variation"])
    chi_square: float | None = Field(default=None, description=DRIFT["chi_square"])
    ks: float | None = Field(default=None, description=DRIFT["ks"])
    wasserstein: float | None = Field(default=None, description=DRIFT["wasserstein"])
    wasserstein_normalised: float | None = Field(default=None, description=DRIFT["wasserstein_normalised"])
    p_value: float | None = Field(default=None, description=DRIFT["p_value"])
    tolerance_p_value: float | None = Field(default=None, description=DRIFT["tolerance_p_value"])
    drifted: bool | None = Field(default=None, description="Whether the feature counts as drifted.")


class Multivariate(Drift):
    """How far rows are from the relations between number features in the baseline; drift is that of the errors."""

    reconstruction_error: float = Field(ge=0, description="Mean of the rows' errors, in deviations.")
    reference_error: float = Field(ge=0, description="The same of the baseline's rows.")
    error_deviation: float | None = Field(default=None, ge=0, description="Standard deviation of the rows' errors.")
    classifier_auc: Share | None = Field(default=None, description=METRICS["classifier_auc"])
    classifier_p_value: Share | None = Field(
        default=None, description="How likely such an area is if the true one is at most 0.53."
    )


class Window(Event):
    """The statistics of one model version and segment over [start, end). A metric without data is absent, never 0.

    Predictions, errors, latency, features and drift count at the prediction's time. A joined pair counts at the later
    of its two times; a cohort follows its own predictions until the label horizon ends, with revision after revision.
    """

    model_config = ConfigDict(json_schema_extra=REVISED | {"examples": [WINDOW, COHORT]})

    window_id: Id
    model: ModelName
    version: VersionName
    segment: Segment
    kind: Literal["tumbling", "hopping", "cohort"]
    start: Rfc3339 = Field(description="Its first moment.")
    end: Rfc3339 = Field(description="The first moment after it.")
    revision: int | None = Field(
        default=None, ge=0, description="Of cohorts only: one higher each time it comes again."
    )
    predictions: Count
    labels: Count
    errors: Count
    metrics: Metrics
    data_quality: dict[str, Quality] = Field(description="By feature.")
    drift: dict[str, Drift] = Field(description="By feature, against the baseline.")
    consistency: dict[str, Share] | None = Field(
        default=None, description="By consistency rule: the share of rows that break it."
    )
    schema_changes: dict[str, str] | None = Field(
        default=None, description="By feature: added, gone, or its type in the baseline and now, as number -> text."
    )
    prediction_drift: Drift | None = Field(default=None, description="Of the predictions, against the baseline.")
    score_drift: Drift | None = Field(default=None, description="Of the classes' probabilities, against the baseline.")
    label_drift: Drift | None = Field(default=None, description="Of the labels that became known.")
    multivariate: Multivariate | None = Field(default=None, description="Of the relations between features.")
    impact: dict[str, Any] | None = Field(
        default=None,
        description="Of all traffic: by how much performance has moved from what is usual, and what carries it.",
    )
    resources: dict[str, dict[str, float]] | None = Field(default=None, description="Resource figures by instance.")
    baseline_id: str | None = Field(default=None, description="The baseline that the features were counted against.")

    @model_validator(mode="after")
    def _revision_of_cohorts(self) -> Self:
        if (self.kind == "cohort") != (self.revision is not None):
            raise ValueError("cohorts, and only they, have a revision")
        return self

"""Requests for a new version, on `retraining-requests`, and the versions that answer them, on `model-versions`."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from app.events.fields import Event, Id, ModelName, Rfc3339, VersionName

REQUEST: dict[str, Any] = {
    "request_id": "4d5e6f7081920a1b",
    "model": "credit",
    "version": "3",
    "trigger": "performance",
    "reason": "accuracy below 0.85: credit 3: accuracy is 0.81, below 0.85.",
    "alert_ids": ["9a1b2c3d4e5f6071"],
    "requested_at": "2026-11-20T12:07:00.000Z",
    "data": {
        "topic": "examples",
        "offsets": {"0": [120, 180], "1": [98, 160]},
        "start": "2026-11-20T11:00:00.000Z",
        "end": "2026-11-20T12:07:00.000Z",
    },
    "baseline_id": "5f0c3a9be1d24478",
}
VERSION: dict[str, Any] = {
    "model": "credit",
    "version": "4",
    "status": "champion",
    "request_id": "4d5e6f7081920a1b",
    "created_at": "2026-11-20T12:09:30.000Z",
    "traffic": 1.0,
    "metrics": {"accuracy": 0.90},
    "compared_with": {"version": "3", "metrics": {"accuracy": 0.81}},
    "artifact_uri": "file:///data/models/credit/4",
    "artifact_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "data": {"topic": "examples", "offsets": {"0": [120, 180], "1": [98, 160]}, "rows": 1400},
    "data_sha256": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
    "code_version": "inferwatch 0.1.0",
    "parameters": {"max_iter": 100},
    "registry_uri": "models:/credit/4",
    "decision": "accuracy 0.90 against 0.81 of version 3 on 350 held-out rows",
}

Offsets = Annotated[
    list[int], Field(min_length=2, max_length=2, description="The first offset, and one past the last.")
]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="SHA-256, as hex digits.")]


class TrainingData(Event):
    """Which examples to learn from."""

    topic: str = Field(description="The topic's name without the prefix: `examples`.")
    offsets: dict[str, Offsets] = Field(description="By partition.")
    start: Rfc3339 | None = Field(default=None, description="When the first of them became known.")
    end: Rfc3339 | None = Field(default=None, description="When the last of them was known.")


class RetrainingRequest(Event):
    """A wish for a new version. The same incident or scheduled time has the same `request_id`."""

    model_config = ConfigDict(json_schema_extra={"examples": [REQUEST]})

    request_id: Id
    model: ModelName
    version: VersionName = Field(description="The version that serves.")
    trigger: Literal["performance", "drift", "data_quality", "schedule", "volume", "manual"]
    reason: str = Field(description="A sentence for people.")
    alert_ids: list[str] = Field(default=[], description="The alerts that asked for it.")
    requested_at: Rfc3339
    data: TrainingData
    baseline_id: str | None = Field(default=None, description="The baseline that drift was measured against.")


class ModelVersion(Event):
    """What a version is, and where it stands. The topic keeps the last record of each model."""

    model_config = ConfigDict(json_schema_extra={"examples": [VERSION]})

    model: ModelName
    version: VersionName
    status: Literal["candidate", "rejected", "challenger", "champion", "archived"]
    request_id: str | None = Field(default=None, description="Null when it was made elsewhere.")
    created_at: Rfc3339
    traffic: float = Field(ge=0, le=1, description="The share of requests that serving should send it.")
    metrics: dict[str, float] = Field(default={}, description="On rows that it was not trained on.")
    compared_with: dict[str, Any] | None = Field(default=None, description="The version it was held against, and how.")
    artifact_uri: str | None = Field(default=None, description="Where the model is.")
    artifact_sha256: Digest | None = None
    data: dict[str, Any] = Field(default={}, description="What it was trained on.")
    data_sha256: Digest | None = None
    code_version: str | None = Field(default=None, description="The code that trained it.")
    parameters: dict[str, Any] = Field(default={}, description="What it was trained with.")
    registry_uri: str | None = Field(default=None, description="Its entry in the registry.")
    decision: str = Field(default="", description="Why it stands where it stands.")

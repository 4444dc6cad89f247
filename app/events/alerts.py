"""Incidents as they open, change and close, on `alerts`."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from app.events.fields import Event, Id, ModelName, Rfc3339, Segment, VersionName

ALERT: dict[str, Any] = {
    "alert_id": "9a1b2c3d4e5f6071",
    "fingerprint": "1f2e3d4c5b6a7988",
    "state": "firing",
    "severity": "critical",
    "model": "credit",
    "version": "3",
    "segment": {"channel": "web"},
    "rule": "accuracy below 0.85",
    "metric": "accuracy",
    "value": 0.81,
    "threshold": 0.85,
    "starts_at": "2026-11-20T12:05:00.000Z",
    "ends_at": None,
    "window_start": "2026-11-20T12:06:00.000Z",
    "window_end": "2026-11-20T12:07:00.000Z",
    "summary": "credit 3, channel web: accuracy is 0.81, below 0.85.",
    "evidence": {"window_id": "0b6f5c1d2e3a4f50", "predictions": 12000, "labels": 9000},
    "parent": None,
}


class Alert(Event):
    """One turn of an incident: `alert_id` is the same from firing to resolved."""

    model_config = ConfigDict(json_schema_extra={"examples": [ALERT]})

    alert_id: Id
    fingerprint: str = Field(description="The same for every incident of this rule, model version and segment.")
    state: Literal["firing", "updated", "resolved"]
    severity: Literal["info", "warning", "critical"]
    model: ModelName
    version: VersionName
    segment: Segment
    rule: str = Field(description="The rule's name.")
    metric: str
    value: float = Field(description="What the metric was in the window.")
    threshold: float = Field(description="The bound that it broke.")
    starts_at: Rfc3339 = Field(description="Start of the first bad window.")
    ends_at: Rfc3339 | None = Field(default=None, description="Null while it is open.")
    window_start: Rfc3339
    window_end: Rfc3339
    summary: str = Field(description="A sentence for people.")
    evidence: dict[str, Any] = Field(description="What stands behind it: counts, features, the window.")
    parent: str | None = Field(default=None, description="The alert that this one is a part of.")

"""The record that answers a retraining request."""

from dataclasses import dataclass, field
from typing import Any

from app.training.comparison import Verdict
from app.training.versions import Record


@dataclass(slots=True)
class Answer:
    """What is known of one training; what a failed one does not have stays empty.

    `accepted`: the new model is better or no worse; `decision` says why, or why there is no new model.
    """

    decision: str = ""
    accepted: bool = False
    metrics: dict[str, float] = field(default_factory=dict)
    compared_with: dict[str, Any] | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    data_sha256: str | None = None
    artifact_uri: str | None = None
    artifact_sha256: str | None = None

    def judged(self, verdict: Verdict) -> None:
        self.decision, self.accepted = verdict.decision, verdict.accepted
        self.metrics, self.compared_with = verdict.metrics, verdict.compared_with


def version_record(
    answer: Answer, model: str, version: str, request_id: str, created_at: str, approval: str, code_version: str
) -> Record:
    """The `model-versions` record: `champion` when accepted, `candidate` when someone still has to approve it."""
    status = "rejected"
    if answer.accepted:
        status = "champion" if approval == "automatic" else "candidate"
    waits = "; waits for approval" if status == "candidate" else ""
    return {
        "model": model,
        "version": version,
        "status": status,
        "request_id": request_id,
        "created_at": created_at,
        "traffic": 1.0 if status == "champion" else 0.0,
        "metrics": answer.metrics,
        "compared_with": answer.compared_with,
        "artifact_uri": answer.artifact_uri,
        "artifact_sha256": answer.artifact_sha256,
        "data": answer.data,
        "data_sha256": answer.data_sha256,
        "code_version": code_version,
        "parameters": answer.parameters,
        "registry_uri": None,
        "decision": answer.decision + waits,
    }

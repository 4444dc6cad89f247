"""What could not be used, on `dead-letters`, and what was decided, on `audit`."""

from typing import Any

from pydantic import ConfigDict, Field

from app.events.fields import Event, Rfc3339

DEAD_LETTER: dict[str, Any] = {
    "reason": "missing_timestamp",
    "detail": "no `timestamp`",
    "topic": "predictions",
    "partition": 2,
    "offset": 40961,
    "timestamp": "2026-11-20T12:00:00.200Z",
    "value_base64": "eyJwcmVkaWN0aW9uX2lkIjoiN2MxZSJ9",
}
AUDIT_ENTRY: dict[str, Any] = {
    "sequence": 12,
    "time": "2026-11-20T12:09:31.000Z",
    "actor": "trainer",
    "action": "promoted",
    "subject": "credit@4",
    "detail": {"replaces": "3"},
    "previous_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "hash": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
}


class DeadLetter(Event):
    """A record that could not be used, with its reason, place and bytes."""

    model_config = ConfigDict(json_schema_extra={"examples": [DEAD_LETTER]})

    reason: str = Field(description="One of a few words, the same for the same kind of mistake.")
    detail: str = Field(description="What exactly is wrong.")
    topic: str
    partition: int = Field(ge=0)
    offset: int = Field(ge=0)
    timestamp: Rfc3339 | None = Field(description="The Kafka record's.")
    value_base64: str = Field(
        description="The record's bytes; of very large ones the beginning.",
        json_schema_extra={"contentEncoding": "base64"},
    )


class AuditEntry(Event):
    """One decision in a chain: each entry holds the hash of the one before, so none can be changed or left out."""

    model_config = ConfigDict(json_schema_extra={"examples": [AUDIT_ENTRY]})

    sequence: int = Field(ge=0)
    time: Rfc3339
    actor: str = Field(description="Who or what decided.")
    action: str
    subject: str = Field(description="What it is about.")
    detail: Any = None
    previous_hash: str
    hash: str

"""What deciding code hands to the code that sends."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Message:
    """One record for a topic, named as in the contract (no prefix): `value` is sent as JSON."""

    topic: str
    key: str
    value: dict[str, Any]

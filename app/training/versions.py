"""Version numbers and the records of versions, as `model-versions` and the registry keep them."""

import re
from collections.abc import Iterable
from typing import Any

Record = dict[str, Any]
LAST_NUMBER = re.compile(r"(\d+)\D*$")


def next_version(known: Iterable[str]) -> str:
    """One above the largest known number, "1" when none is known; of "v3" or "2024.3" the last number counts."""
    numbers = [int(found[1]) for version in known if (found := LAST_NUMBER.search(version))]
    return str(max(numbers, default=0) + 1)


def archived(record: Record) -> Record:
    """The record of a version that serves no longer."""
    return {**record, "status": "archived", "traffic": 0.0}


def unregistered(model: str, version: str, created_at: str) -> Record:
    """The record of a version that nobody registered: it was serving before Inferwatch trained one."""
    return {
        "model": model,
        "version": version,
        "status": "champion",
        "request_id": None,
        "created_at": created_at,
        "traffic": 1.0,
        "decision": "deployed elsewhere",
    }


def announcements(answer: Record, champion: Record) -> list[Record]:
    """What `model-versions` is told when `answer` is decided: a new champion comes after the one it replaces."""
    return [archived(champion), answer] if answer["status"] == "champion" else [answer]

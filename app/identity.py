"""Deterministic identifiers: a replay repeats an output instead of adding one."""

import hashlib
from typing import Any

import orjson


def identifier(*parts: Any) -> str:
    """16 hex digits of the SHA-256 over the parts' JSON (keys sorted)."""
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def version_key(model: str, version: str) -> str:
    """The record key on compacted topics of model versions: each version keeps its newest record, not each model."""
    return f"{model}@{version}"

"""Deterministic identifiers: a replay repeats an output instead of adding one."""

import hashlib
from typing import Any

import orjson


def identifier(*parts: Any) -> str:
    """16 hex digits of the SHA-256 over the parts' JSON (keys sorted)."""
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]

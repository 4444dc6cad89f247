"""Records made wrong: bytes are changed, and values, names and forms of JSON."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import orjson

NASTY: list[Any] = [
    None, True, False, 0, -1, 1e308, -1e308, 5e-324, 2**53 + 1, 2**63, -(2**63), 2**64 - 1, 1e11, 1e18, "", " ", "\x00",
    "NaN", "null", "ü" * 300, "x" * 5000, "2026-11-20T12:00:00Z", "0001-01-01T00:00:00Z", "2026-02-30T00:00:00Z",
    "2026-11-20T12:00:00+23:59", "2026-11-20T12:00:60Z", [], {}, [[]], [None], [[[[1]]]], {"": {}}, [1, "a", None],
    ["a", "a"], [0.1] * 40, {"a": [1, 2]}, [True, 1, 1.0], "\ud83d\ude00", "__proto__", "(other)", "(prediction)",
]  # fmt: skip
RAW = [
    b"NaN",
    b"Infinity",
    b"1e999",
    b"-0",
    b"0.0000000000000000001",
    b"\xff\xfe",
    b"\x00",
    b"[" * 200,
    b"{" * 50,
    b"\\",
]
NAMES = ["model", "version", "prediction_id", "timestamp", "features", "prediction", "probabilities", "latency_ms",
         "segments", "error", "weight", "prediction_ids", "timestamps", "predictions", "errors", "weights", "label",
         "labels", "instance", "cpu_percent", "extra", ""]  # fmt: skip


def mutated(value: bytes, other: bytes, random: Random) -> bytes | None:
    """`value` with one to four faults; `other`: a second record to take parts from."""
    changed: bytes | None = value
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        if not changed:
            return changed
        changed = random.choice(WAYS)(changed, other, random)
    return changed


def _flip(value: bytes, _other: bytes, random: Random) -> bytes:
    place = random.randrange(len(value))
    return value[:place] + bytes([random.randrange(256)]) + value[place + 1 :]


def _cut(value: bytes, _other: bytes, random: Random) -> bytes:
    start, stop = sorted(random.randrange(len(value) + 1) for _ in range(2))
    return value[:start] + value[stop:] if random.random() < 0.5 else value[:stop]


def _insert(value: bytes, _other: bytes, random: Random) -> bytes:
    place = random.randrange(len(value) + 1)
    return value[:place] + random.choice(RAW) + value[place:]


def _splice(value: bytes, other: bytes, random: Random) -> bytes:
    return value[: random.randrange(len(value) + 1)] + other[random.randrange(len(other) + 1) if other else 0 :]


def _nothing(_value: bytes, _other: bytes, random: Random) -> bytes | None:
    return random.choice((None, b"", b"null", b"[]", b"{}", b'""', b"0"))


def _of_json(change: Callable[[Any, Any, Random], Any]) -> Callable[[bytes, bytes, Random], bytes]:
    """A change of the value; of what is no JSON any more, bytes are changed."""

    def way(value: bytes, other: bytes, random: Random) -> bytes:
        try:
            return orjson.dumps(change(orjson.loads(value), other, random), option=orjson.OPT_NON_STR_KEYS)
        except (orjson.JSONDecodeError, orjson.JSONEncodeError, RecursionError):
            return _flip(value, other, random)

    return way


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every container in `value`, with each of its keys."""
    if not isinstance(value, (dict, list)):
        return []
    keys: Sequence[Any] = list(value) if isinstance(value, dict) else range(len(value))
    return [(value, key) for key in keys] + [place for key in keys for place in _places(value[key])]


def _replace(value: Any, _other: Any, random: Random) -> Any:
    if places := _places(value):
        container, key = random.choice(places)
        container[key] = random.choice(NASTY)
    return value


def _remove(value: Any, _other: Any, random: Random) -> Any:
    if places := _places(value):
        container, key = random.choice(places)
        del container[key]
    return value


def _name(value: Any, _other: Any, random: Random) -> Any:
    """A field that belongs somewhere else, or one under another's name."""
    if isinstance(value, dict):
        kept = value.pop(random.choice(list(value))) if value and random.random() < 0.5 else random.choice(NASTY)
        value[random.choice(NAMES)] = kept
    return value


def _wrap(value: Any, _other: Any, random: Random) -> Any:
    if places := _places(value):
        container, key = random.choice(places)
        container[key] = [container[key]] if random.random() < 0.5 else {str(key): container[key]}
    return value


def _mix(value: Any, other: bytes, random: Random) -> Any:
    """Fields of another record beside its own."""
    try:
        second = orjson.loads(other)
    except orjson.JSONDecodeError:
        return value
    if isinstance(value, dict) and isinstance(second, dict) and second:
        chosen = random.sample(list(second), random.randint(1, len(second)))
        return value | {name: second[name] for name in chosen}
    return value


WAYS: list[Callable[[bytes, bytes, Random], bytes | None]] = [
    _flip, _cut, _insert, _splice, _nothing,
    *map(_of_json, (_replace, _replace, _replace, _remove, _name, _name, _wrap, _mix)),
]  # fmt: skip

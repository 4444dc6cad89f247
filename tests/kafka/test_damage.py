"""One record in ten is damaged, each kind in its own way: no good record is lost, and nothing stops."""

import base64
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.kafka.harness import Published, WorkerProcess, counted, create_topics, produce
from tests.kafka.test_exactness import settings_for
from tests.traffic import Sent, binary_traffic

pytestmark = pytest.mark.kafka
COUNT = 100_000
EVERY = 10


def damaged(kind: int, number: int, good: bytes) -> tuple[bytes | None, bool]:
    """The record, and whether what is left of it still counts as a prediction."""
    event: dict[str, Any] = orjson.loads(good)
    event["prediction_id"] = f"damaged-{number}"
    changed: dict[int, tuple[Any, bool]] = {
        0: (good[: 5 + number % (len(good) - 6)], False),
        1: (event | {"features": [1, 2, 3]}, False),
        2: (event | {"model": 17}, False),
        3: (orjson.dumps(event).replace(b'"latency_ms":', b'"latency_ms":NaN,"x":'), False),
        4: (orjson.dumps(event).replace(b'"features":{', b'"features":{"huge":1e999,'), False),
        5: ({key: value for key, value in event.items() if key != "prediction_id"}, False),
        6: (event | {"features": {"a": {"b": {"c": [[[1]]]}}}}, False),
        7: (orjson.dumps(event).replace(b'"credit"', b'"cr\xff\xfeit"'), False),
        8: (event | {"timestamp": "9999-01-01T00:00:00Z"}, False),
        9: (event | {"timestamp": "1970-01-01T00:10:00Z"}, True),
        10: (event | {"prediction": None, "error": None}, False),
        11: (event | {"timestamp": "yesterday at noon"}, False),
        12: (event | {"features": {f"name-{number}": 1.0}}, True),
        13: (event | {"prediction_id": ["a", "b"]}, False),
        14: (None, False),
        15: (b"[" * 5000, False),
        16: (event | {"features": event["features"] | {"huge": 1e308}}, True),
        17: (event | {"probabilities": {"approve": 7.0}}, False),
    }
    value, usable = changed[kind]
    return (orjson.dumps(value) if isinstance(value, dict) else value), usable


def long_text(good: bytes, number: int) -> bytes:
    event = orjson.loads(good)
    return orjson.dumps(event | {"prediction_id": f"long-{number}", "features": {"note": "x" * 1_000_000}})


def many_names(good: bytes, number: int) -> bytes:
    event = orjson.loads(good)
    return orjson.dumps(event | {"prediction_id": f"names-{number}", "features": {f"f-{i}": i for i in range(10_000)}})


async def test_one_in_ten_records_is_damaged(kafka: str, tmp_path: Path) -> None:
    settings = settings_for(kafka, tmp_path, "damage")
    create_topics(settings)
    good = binary_traffic(COUNT, rate=2000, late_share=0).of("predictions")[:COUNT]
    clean = {record.key for record in good}
    records: list[Sent] = []
    spoilt, usable = 0, 0
    for number, record in enumerate(good):
        records.append(record)
        if number % EVERY == EVERY - 1:
            value, counts = damaged(number // EVERY % 18, number, record.value)
            records.append(Sent(0, "predictions", record.partition, record.key, value))  # type: ignore[arg-type]
            spoilt, usable = spoilt + (not counts), usable + counts
        if number % 10_000 == 5_000:
            records.append(Sent(0, "predictions", record.partition, record.key, long_text(record.value, number)))
            records.append(Sent(0, "predictions", record.partition, record.key, many_names(record.value, number)))
            usable += 2
    await produce(settings, records)
    published = Published(settings, "windows", "dead-letters")
    with WorkerProcess(tmp_path, settings) as worker:
        await published.until(
            lambda seen: (
                counted(seen.records["windows"], "predictions") >= len(clean)
                and len({_place(letter) for letter in seen.records["dead-letters"]}) >= spoilt
            ),
            worker,
        )
        assert worker.stop() == 0
    letters = {_place(letter): letter for letter in published.records["dead-letters"]}
    assert len(letters) == spoilt
    recent = [window for window in published.records["windows"] if window["start"] > "2000"]
    of_today = counted(recent, "predictions")
    of_1970 = sum(number // EVERY % 18 == 9 for number in range(EVERY - 1, COUNT, EVERY))
    assert of_today == len(clean) + usable - of_1970
    assert {letter["reason"] for letter in letters.values()} >= {
        "not_json",
        "schema",
        "missing_id",
        "missing_prediction",
        "timestamp_ahead",
        "empty",
    }
    cut = next(letter for letter in letters.values() if letter["reason"] == "not_json")
    assert cut["topic"] == "predictions"
    assert base64.b64decode(cut["value_base64"])


def _place(letter: dict[str, Any]) -> tuple[int, int]:
    return letter["partition"], letter["offset"]

"""What a dead letter is sent as, and what is left."""

import base64
import time
from typing import Any

import orjson
import pytest

from app.letters.deadletters import Letter, read_letter
from app.letters.mending import Content, Transform, TransformError, mend
from app.settings import Settings

NOW = time.time_ns() // 1_000_000
GOOD: dict[str, Any] = {"prediction_id": "7c1e", "model": "credit", "version": "3", "timestamp": NOW, "prediction": "a"}
LABEL: dict[str, Any] = {"prediction_id": "7c1e", "label": "a"}


def letter(value: Any, topic: str = "predictions", **more: Any) -> Letter:
    raw = value if isinstance(value, bytes) else orjson.dumps(value)
    event = {"reason": "schema", "detail": "wrong", "topic": topic, "partition": 2, "offset": 7, "timestamp": None}
    coded = {"value_base64": base64.b64encode(raw).decode()}
    found = read_letter(1, 5, NOW, orjson.dumps(event | coded | more))
    assert found is not None
    return found


def mended(one: Letter, transform: Transform | None = None, settings: Settings | None = None) -> tuple[Any, list[str]]:
    records, left = mend([one], transform, settings or Settings(), 4, NOW)
    return records[0] if records else None, [each.why for each in left]


def test_a_record_goes_back_as_it_was() -> None:
    raw = orjson.dumps(GOOD, option=orjson.OPT_INDENT_2)
    record, left = mended(letter(raw))
    assert (record.value, record.key, left) == (raw, b"7c1e", [])


def test_a_transform_gets_objects_as_dicts_and_the_rest_as_bytes() -> None:
    given: list[Content] = []
    for value in (GOOD, b"[1, 2]", b"\xff", b""):
        mended(letter(value), given.append)
    assert given == [GOOD, b"[1, 2]", b"\xff", b""]


def test_what_a_transform_gives_is_sent_unless_it_is_still_refused() -> None:
    assert mended(letter(b"?"), lambda _: GOOD)[0].value == orjson.dumps(GOOD)
    assert mended(letter(b"?"), lambda _: orjson.dumps(GOOD))[0].key == b"7c1e"
    assert mended(letter(b"?"), lambda _: {"model": "credit"}) == (None, ["still refused: schema"])
    assert mended(letter(b"?"), lambda _: None) == (None, ["left by the transform"])


def test_a_transform_that_gives_what_can_not_be_sent_is_told() -> None:
    with pytest.raises(TransformError, match="it gave int for letter 1/5"):
        mended(letter(GOOD), lambda _: 17)  # type: ignore[arg-type, return-value]
    with pytest.raises(TransformError, match="is no JSON"):
        mended(letter(GOOD), lambda _: {"a": object()})


def test_the_settings_that_hold_now_decide() -> None:
    """A letter that a wrong task made goes through once the configuration is right."""
    numeric = Settings.model_validate({"models": {"credit": {"task": "regression"}}})
    assert mended(letter(GOOD), settings=numeric)[1] == ["still refused: not_a_number"]
    assert mended(letter(GOOD))[1] == []


def test_a_label_without_a_time_is_given_that_of_its_record() -> None:
    record, _ = mended(letter(LABEL, "labels", timestamp="2026-11-20T12:00:00.200Z"))
    assert orjson.loads(record.value) == LABEL | {"timestamp": "2026-11-20T12:00:00.200Z"}
    timed = LABEL | {"timestamp": 1_795_176_000}
    record, _ = mended(letter(timed, "labels", timestamp="2026-11-20T12:00:00.200Z"))
    assert orjson.loads(record.value) == timed


def test_what_there_is_no_way_back_for_is_left() -> None:
    assert mended(letter(GOOD, "elsewhere"))[1] == ["no source topic elsewhere"]
    cut = letter(GOOD, detail="wrong (the first 524288 of 600000 bytes)")
    assert mended(cut)[1] == ["cut: the letter has only the beginning of the record"]
    assert mended(letter({"request_id": "r"}, "retraining-requests"))[1] == ["still refused: invalid"]

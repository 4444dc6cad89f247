"""Which letters count, and what is remembered of their replays."""

import base64
from typing import Any

import orjson

from app.letters.deadletters import REPLAYED, REPLAYING, Ledger, Letter, Place, Survey, Wanted, note, read_letter
from app.letters.lettertext import beginning, letter_lines

EVENT: dict[str, Any] = {
    "reason": "schema",
    "detail": "wrong",
    "topic": "predictions",
    "partition": 2,
    "offset": 7,
    "timestamp": "2026-11-20T12:00:00.200Z",
    "value_base64": base64.b64encode(b"{}").decode(),
}


def letter(at: int, **more: Any) -> Letter:
    found = read_letter(0, at, 17, orjson.dumps(EVENT | more))
    assert found is not None
    return found


def noted(at: int, of: Letter, reason: str, place: str) -> Letter:
    found = read_letter(0, at, 17, orjson.dumps(note(of, reason, Place.parse(place))))
    assert found is not None
    return found


def test_what_is_no_letter_is_counted_and_does_no_harm() -> None:
    ledger = Ledger(Wanted())
    for value in (None, b"", b"{}", orjson.dumps(EVENT | {"value_base64": "!"}), orjson.dumps(EVENT | {"offset": -1})):
        ledger.add(read_letter(0, 0, 17, value))
    assert (ledger.unreadable, ledger.letters) == (5, {})


def test_a_letter_is_open_until_its_replay_is_noted() -> None:
    ledger = Ledger(Wanted())
    first, second = letter(0), letter(1, offset=8)
    assert ledger.add(first)
    assert ledger.add(second)
    assert not ledger.add(letter(2))
    ledger.add(noted(3, first, REPLAYING, "predictions/1/40"))
    ledger.add(noted(4, second, REPLAYING, "predictions/3/9"))
    assert set(ledger.open()) == {first.about, second.about}
    ledger.add(noted(5, first, REPLAYED, "predictions/1/41"))
    assert {place: known.name for place, known in ledger.open().items()} == {second.about: "0/1"}
    assert ledger.interrupted() == {second.about: Place("predictions", 3, 9)}


def test_notes_are_letters_of_the_contract_and_in_no_group() -> None:
    survey = Survey(Wanted())
    one = letter(0)
    for each in (one, letter(1, offset=8, reason="not_json"), noted(2, one, REPLAYED, "predictions/1/41")):
        survey.add(each)
    assert {reason: (group.topics.total(), group.replayed) for reason, group in survey.groups().items()} == {
        "schema": (1, 1),
        "not_json": (1, 0),
    }


def test_a_letter_without_a_time_has_that_of_its_own_record() -> None:
    assert letter(0, timestamp=None).at_ms == 17
    assert letter(0, timestamp=None) not in Wanted(since_ms=18)
    assert letter(0) in Wanted(since_ms=18)


def test_bytes_are_shown_as_text_where_they_are_text() -> None:
    assert beginning(b'{"a":\n 1}') == '{"a": 1}'
    assert beginning(b"\xff\x01") == r"\xff\x01"
    assert beginning(b"x" * 121) == "x" * 120 + "..."
    coded = base64.b64encode(bytes(range(256)) * 3).decode()
    lines = letter_lines(letter(0, value_base64=coded))
    assert lines[:3] == ["0/0: schema: wrong", f"predictions, partition 2, offset 7, {EVENT['timestamp']}", "768 bytes"]
    assert lines[8] == "000040  40 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e 4f  @ABCDEFGHIJKLMNO"
    assert lines[-1] == "... and 256 more"

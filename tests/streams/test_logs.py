"""Log lines: ours all, a library's once in a while."""

import logging

import pytest

from streams.logs import MOST_MESSAGES, Lines, Repeats


def record(
    message: str, created: float, name: str = "aiokafka", level: int = logging.ERROR, *args: object
) -> logging.LogRecord:
    made = logging.LogRecord(name, level, "file.py", 1, message, args, None)
    made.created = created
    return made


def told(repeats: Repeats, *records: logging.LogRecord) -> list[str]:
    return [Lines().format(one)[20:] for one in records if repeats.filter(one)]


def test_a_library_says_a_thing_once_in_a_while_and_how_often_it_wanted_to() -> None:
    repeats = Repeats(every_s=30)
    times = [0.0, 1.0, 29.9, 30.0, 31.0, 60.0]
    assert told(
        repeats, *(record("Unable to connect to %s", time, "aiokafka", logging.ERROR, time) for time in times)
    ) == [
        "ERROR: aiokafka: Unable to connect to 0.0",
        "ERROR: aiokafka: Unable to connect to 30.0 (and 2 more like it before)",
        "ERROR: aiokafka: Unable to connect to 60.0 (and 1 more like it before)",
    ]


def test_other_messages_and_other_libraries_are_told_meanwhile() -> None:
    records = [record("away", 0), record("gone", 1), record("away", 2, "faust.app"), record("away", 3)]
    assert told(Repeats(), *records) == [
        "ERROR: aiokafka: away",
        "ERROR: aiokafka: gone",
        "ERROR: faust.app: away",
    ]


def test_our_own_lines_are_all_told() -> None:
    records = [record("Ready", time, "streams.worker", logging.INFO) for time in (0.0, 0.1, 0.2)]
    assert told(Repeats(), *records) == ["Ready"] * 3
    assert told(Repeats(), record("Lost", 0, "streams.worker", logging.CRITICAL)) == ["CRITICAL: Lost"]


def test_what_was_told_is_forgotten_before_it_fills_the_memory() -> None:
    repeats = Repeats()
    for number in range(3 * MOST_MESSAGES):
        repeats.filter(record(f"number {number}", 0.0))
    assert len(repeats._told) <= MOST_MESSAGES


@pytest.mark.parametrize("created", [0.0, 1_795_176_000.0])
def test_a_line_begins_with_its_time(created: float) -> None:
    assert len(Lines().format(record("x", created)).split(" ")[0]) == len("2026-11-20")

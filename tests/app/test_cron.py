"""Five-field cron expressions."""

import pytest

from app.cron import parse


def test_every_form_of_a_field() -> None:
    cron = parse("*/20 1-3,5 1,15 jan-mar mon-fri/2")
    assert cron.minutes == {0, 20, 40}
    assert cron.hours == {1, 2, 3, 5}
    assert cron.days == {1, 15}
    assert cron.months == {1, 2, 3}
    assert cron.weekdays == {1, 3, 5}
    assert not cron.any_day
    assert not cron.any_weekday


def test_stars_are_everything_and_told_apart_from_days() -> None:
    cron = parse("0 3 * * 1")
    assert cron.days == set(range(1, 32))
    assert (cron.any_day, cron.any_weekday) == (True, False)


def test_seven_is_sunday_too() -> None:
    assert parse("0 0 * * 5-7").weekdays == {5, 6, 0}


def test_a_step_from_a_value_runs_to_the_end() -> None:
    assert parse("50/4 * * * *").minutes == {50, 54, 58}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 3 * *", "five fields"),
        ("0 0 3 * * *", "got 6"),
        ("@daily", "got 1"),
        ("60 * * * *", "minute: '60' is not within 0-59"),
        ("0 24 * * *", "hour: '24' is not within 0-23"),
        ("0 0 0 * *", "day of month: '0' is not within 1-31"),
        ("0 0 * 13 *", "month: '13' is not within 1-12"),
        ("0 0 * * mno", "day of week: 'mno' is not within 0-7"),
        ("5-1 * * * *", "minute: '5-1' runs backwards"),
        ("*/0 * * * *", "step in '\\*/0' must be a whole number above 0"),
        ("*/x * * * *", "step in"),
        ("1,,2 * * * *", "minute: '' is not"),
        ("1- * * * *", "minute: '' is not"),
        ("-1 * * * *", "minute: '' is not"),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(text)

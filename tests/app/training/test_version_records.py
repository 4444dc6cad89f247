import pytest

from app.training.versions import announcements, next_version, unregistered

NOW = "2026-11-20T12:00:00.000Z"


@pytest.mark.parametrize(
    ("known", "expected"),
    [([], "1"), (["1"], "2"), (["9", "10", "2"], "11"), (["v3"], "4"), (["2024.7-b"], "8"), (["blue"], "1")],
)
def test_the_next_number_is_one_above_the_largest(known: list[str], expected: str) -> None:
    assert next_version(known) == expected


def test_a_new_champion_comes_after_the_one_it_replaces() -> None:
    old = unregistered("credit", "1", NOW)
    new = {**old, "version": "2"}
    told = announcements(new, old)
    assert [(record["version"], record["status"], record["traffic"]) for record in told] == [
        ("1", "archived", 0.0),
        ("2", "champion", 1.0),
    ]


@pytest.mark.parametrize("status", ["rejected", "candidate"])
def test_whoever_serves_on_stays_as_it_was(status: str) -> None:
    old = unregistered("credit", "1", NOW)
    told = announcements({**old, "version": "2", "status": status}, old)
    assert [(record["version"], record["status"]) for record in told] == [("2", status)]

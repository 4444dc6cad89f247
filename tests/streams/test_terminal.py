from rich.console import Console

from app.simulation.story import Story
from streams.narration import Narration, closing
from streams.terminal import screen
from tests.app.simulation.test_story import told

SPEED = {"predictions": 300.0, "labels": 288.0}
URLS = {"metrics": "http://127.0.0.1:6066/metrics"}


def shown(story: Story, width: int = 100, compact: bool = False) -> str:
    console = Console(width=width, force_terminal=False)
    with console.capture() as capture:
        console.print(screen(story, SPEED, URLS, "Ctrl-C ends it.", compact))
    return capture.get()


def test_an_empty_story_can_be_shown() -> None:
    text = shown(Story("credit"))
    assert "The first model is being trained." in text
    assert "no labels yet" in text
    assert "none asked for" in text


def test_the_screen_has_what_one_asks_about() -> None:
    text = shown(told(8)[0])
    for part in (
        "300 predictions/s, 288 labels/s",
        "version 1 serves",
        "crisis since 0:20",
        "0.740",
        "accuracy below 0.85",
        "income",
        "0.30",
        "0:41 asked for (performance): training",
        "http://127.0.0.1:6066/metrics",
    ):
        assert part in text


def test_the_end_shows_both_versions_and_what_is_over() -> None:
    text = shown(told(13)[0])
    assert "version 2, better: accepted" in text
    assert "over at 1:00" in text
    assert "champion" in text


def test_no_line_is_wider_than_the_screen() -> None:
    for until in range(16):
        assert max(map(len, shown(told(until)[0]).splitlines())) <= 100


def test_a_small_terminal_has_room_for_it() -> None:
    for until in range(16):
        lines = shown(told(until)[0], width=80, compact=True).splitlines()
        assert len(lines) <= 23
        assert max(map(len, lines)) <= 80


def test_lines_tell_each_thing_once() -> None:
    narration = Narration()
    lines = [line.strip() for until in range(14) for line in narration.lines(told(until)[0])]
    assert lines == [
        "0:10  version 1, 300 predictions/s, accuracy 0.940, PSI of income 0.01",
        "-- healthy --",
        "0:15  version 1, 300 predictions/s, accuracy 0.920, PSI of income 0.01",
        "0:20  the world changes: crisis",
        "-- drifting --",
        "0:35  version 1, 300 predictions/s, accuracy 0.740, PSI of income 0.30",
        "0:35  critical alert fired: accuracy below 0.85, version 1",
        "-- incident --",
        "retraining 0:41 asked for (performance): training",
        "-- retraining --",
        "retraining 0:41 asked for (performance): version 2, better: accepted",
        "0:50  version 2 is served",
        "-- new version --",
        "0:55  version 2, 300 predictions/s, accuracy 0.930, PSI of income 0.01",
        "1:00  version 2, 300 predictions/s, accuracy 0.920, PSI of income 0.01",
        "1:00  critical alert over: accuracy below 0.85, version 1",
        "-- recovered --",
    ]


def test_the_last_words_have_the_figures() -> None:
    words = closing(told(13)[0].summary(), stopped=False)
    assert words[1] == "accuracy before the change 0.930, after it 0.740, with the new version 0.925"
    assert words[2].startswith("The loop has closed")
    assert closing(told(5)[0].summary(), stopped=False)[1:] == [
        "accuracy before the change 0.930",
        "The loop has not closed in this time.",
    ]
    assert closing(told(0)[0].summary(), stopped=True)[1:] == ["Stopped before the loop has closed."]

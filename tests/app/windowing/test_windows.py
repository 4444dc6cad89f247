"""Panes into windows. The settings of the drawings: panes 10 s, tumbling 60 s, hopping 120 s every 40 s."""

from collections.abc import Iterable

from app.segments import EVERYTHING, Segment
from app.settings import WindowSettings
from app.windowing.windows import Window, Windows
from tests.app.closing import DAY, SECOND, predictions

SETTINGS = WindowSettings(tumbling_s=[60], hopping_s=[(120, 40)])
PANE = 10 * SECOND
KEY = ("1", EVERYTHING)


def add(windows: Windows, second: int, rows: int = 1, key: tuple[str, Segment] = KEY) -> None:
    windows.add(second * SECOND, second * SECOND + PANE, {key: predictions(rows)})


def passed(windows: Windows, until: int, clock: int = 0) -> list[Window]:
    """All windows that end after `clock` and up to `until` (s)."""
    found, clock = [], clock * SECOND
    while (end := windows.next_end(clock)) is not None and end <= until * SECOND:
        found += windows.ending(end)
        clock = end
    return found


def shown(found: Iterable[Window]) -> list[tuple[str, int, int, int]]:
    return [(w.kind[0], w.start // SECOND, w.end // SECOND, w.totals.predictions) for w in found]


def test_one_pane_in_all_its_windows() -> None:
    # pane                |-|
    # tumbling            |=====|              0 to 60
    # hopping   |===========|                -80 to 40
    #               |===========|            -40 to 80
    #                   |===========|          0 to 120
    windows = Windows(SETTINGS, {})
    add(windows, 0)
    assert shown(passed(windows, 1000)) == [("h", -80, 40, 1), ("t", 0, 60, 1), ("h", -40, 80, 1), ("h", 0, 120, 1)]
    assert windows.next_end(0) is None


def test_panes_add_up() -> None:
    windows = Windows(SETTINGS, {})
    for number in range(12):
        add(windows, 10 * number, 2**number)
    found = shown(passed(windows, 120))
    assert [one for one in found if one[0] == "t"] == [("t", 0, 60, 63), ("t", 60, 120, 4032)]
    assert [one for one in found if one[0] == "h"] == [("h", -80, 40, 15), ("h", -40, 80, 255), ("h", 0, 120, 4095)]


def test_the_end_of_a_window_is_not_in_it() -> None:
    windows = Windows(SETTINGS, {})
    add(windows, 50, 1)
    add(windows, 60, 2)
    assert ("t", 0, 60, 1) in shown(passed(windows, 60))


def test_an_empty_window_is_none() -> None:
    # pane  |-|                   |-|
    #       0     60     120    180
    windows = Windows(WindowSettings(tumbling_s=[60], hopping_s=[]), {})
    add(windows, 0)
    assert shown(passed(windows, 180)) == [("t", 0, 60, 1)]
    add(windows, 180)
    assert shown(passed(windows, 240, clock=180)) == [("t", 180, 240, 1)]


def test_years_without_events_cost_nothing() -> None:
    windows = Windows(SETTINGS, {})
    add(windows, 0)
    passed(windows, 1000)
    add(windows, 50 * 365 * DAY // SECOND // 120 * 120)
    ends, clock = 0, 1000 * SECOND
    while (end := windows.next_end(clock)) is not None:
        windows.ending(end)
        ends, clock = ends + 1, end
    assert ends == 4


def test_versions_and_segments_have_their_own() -> None:
    windows = Windows(WindowSettings(tumbling_s=[60], hopping_s=[]), {})
    web: Segment = (("channel", "web"),)
    for key, rows in ((("2", EVERYTHING), 1), (("1", web), 2), (("1", EVERYTHING), 3)):
        add(windows, 0, rows, key)
    found = passed(windows, 60)
    assert [(w.version, w.segment, w.totals.predictions) for w in found] == [("1", (), 3), ("1", web, 2), ("2", (), 1)]
    assert len({w.identity("credit") for w in found}) == 3


def test_a_pane_added_again_changes_nothing() -> None:
    windows = Windows(SETTINGS, {})
    add(windows, 0, 5)
    add(windows, 10, 7)
    values, gone = windows.changes(position=1)
    assert gone == []
    again = Windows(SETTINGS, values)
    for _ in range(2):
        add(again, 0, 5)
        add(again, 10, 7)
        add(again, 20, 1)
    assert ("t", 0, 60, 13) in shown(passed(again, 60))


def test_only_what_changed_is_stored() -> None:
    windows = Windows(SETTINGS, {})
    add(windows, 0)
    first, _ = windows.changes(position=1)
    assert sorted(name.rsplit("/", 1)[0] for name in first) == ["window/40000/0", "window/60000/0"]
    assert windows.changes(position=2) == ({}, [])
    add(windows, 40)
    second, _ = windows.changes(position=3)
    assert sorted(name.rsplit("/", 1)[0] for name in second) == ["window/40000/40000", "window/60000/0"]
    passed(windows, 1000)
    values, gone = windows.changes(position=4)
    assert values == {}
    assert set(gone) == first.keys() | second.keys()


def test_what_came_and_went_between_two_writes_is_never_stored() -> None:
    windows = Windows(SETTINGS, {})
    add(windows, 0)
    passed(windows, 1000)
    assert windows.changes(position=1) == ({}, [])


def test_leftovers_of_a_crash_go() -> None:
    """The decisions say that all up to 60 s is done, but the worker died before the window's slot was removed."""
    windows = Windows(SETTINGS, {})
    add(windows, 0)
    values, _ = windows.changes(position=1)
    again = Windows(SETTINGS, values)
    again.drop(60 * SECOND)
    assert shown(passed(again, 1000, clock=60)) == [("h", -40, 80, 1), ("h", 0, 120, 1)]
    assert [name.rsplit("/", 1)[0] for name in again.changes(position=2)[1]] == ["window/60000/0", "window/40000/0"]


def test_other_settings_than_when_it_was_stored() -> None:
    windows = Windows(SETTINGS, {})
    add(windows, 0)
    values, _ = windows.changes(position=1)
    again = Windows(WindowSettings(tumbling_s=[30], hopping_s=[]), values)
    assert again.next_end(0) is None
    assert set(again.changes(position=2)[1]) == values.keys()


def test_the_same_however_often_it_is_stored() -> None:
    """Sums of floats as well: what was stored and read again goes on as what stayed in memory."""
    panes = [{KEY: predictions(3, latency_ms=latency)} for latency in (0.1, 0.2, 0.3, 0.7, 1.1, 1.3)]
    states = []
    for every in (1, 2, 99):
        windows, stored = Windows(SETTINGS, {}), dict[str, bytes]()
        for number in range(len(panes)):
            for again in range(number + 1):
                windows.add(again * PANE, (again + 1) * PANE, panes[again])
            if number % every == 0:
                stored |= windows.changes(position=number)[0]
                windows = Windows(SETTINGS, stored)
        states.append([window.totals.state() for window in passed(windows, 120)])
    assert states[0] == states[1] == states[2]

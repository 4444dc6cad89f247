"""Parts and ticks of one partition of `panes`. Panes of 10 s, lateness of 5 s; times in the drawings are seconds."""

from typing import Any

import pytest

from app.settings import WindowSettings
from app.windowing.panes import Examples, PaneBoard
from tests.app.closing import SECOND, group, labelled, part, predictions, tick

KEY = ("1", ())


def board(*messages: dict[str, Any]) -> PaneBoard:
    """A board that has read `messages` at offsets 0, 1, 2..."""
    made = PaneBoard(WindowSettings())
    for offset, message in enumerate(messages):
        made.add(message, offset)
    return made


def seconds(watermark: int | None) -> float | None:
    return None if watermark is None else watermark / SECOND


def told(
    second: float | None, idle: bool = False, *, partition: int = 0, position: int = 1, of: int = 1
) -> dict[str, Any]:
    """A tick of one partition of `predictions`, of which `of` are expected."""
    watermark = None if second is None else round(second * SECOND)
    return tick(("predictions", partition, position, watermark, idle), predictions=of)


class TestWatermark:
    def test_unknown_until_all_have_ticked(self) -> None:
        assert board(told(50, of=2)).watermark() is None
        assert seconds(board(told(50, of=2), told(30, partition=1, of=2)).watermark()) == 30

    def test_every_partition_of_every_topic_is_expected(self) -> None:
        ticks = board(tick(("predictions", 0, 1, 50, False), predictions=1, labels=1))
        assert ticks.watermark() is None
        ticks.add(tick(("labels", 0, 1, 40, False), predictions=1, labels=1), 1)
        assert ticks.watermark() == 40

    def test_an_active_source_without_events_holds(self) -> None:
        assert board(told(50, of=2), told(None, partition=1, of=2)).watermark() is None

    @pytest.mark.parametrize("idle", [False, True])
    def test_the_slowest_counts_whether_it_is_idle_or_not(self, idle: bool) -> None:
        """An idle source goes on because its reader says so: see `app.sources.progress.reached`."""
        assert seconds(board(told(50, of=2), told(20, idle, partition=1, of=2)).watermark()) == 20
        assert board(told(50, of=2), told(None, idle, partition=1, of=2)).watermark() is None

    def test_idle_sources_go_on_as_they_say(self) -> None:
        quiet = board(told(50, True, of=2), told(20, True, partition=1, of=2), told(50, True, partition=1, of=2))
        assert seconds(quiet.watermark()) == 50

    def test_a_tick_of_a_lower_position_is_old(self) -> None:
        """A new owner of the source begins at the floor again: until it has caught up, it has nothing new to say."""
        assert seconds(board(told(50, position=9), told(30, position=8), told(90, True, position=7)).watermark()) == 50

    def test_a_source_never_goes_back(self) -> None:
        assert seconds(board(told(50, position=8), told(30, position=9)).watermark()) == 50
        assert seconds(board(told(50, position=8), told(None, position=9)).watermark()) == 50

    def test_sources_that_are_not_expected_any_more(self) -> None:
        ticks = board(tick(("labels", 0, 1, 10, False), predictions=1, labels=1), told(50))
        assert seconds(ticks.watermark()) == 50
        assert ticks.floor(2) == 1


class TestReady:
    @pytest.mark.parametrize(
        ("watermark", "panes"),
        [
            #        0         10        20   watermark
            # pane 0 |---------|....:          the dots are the allowed lateness
            (14.999, []),
            (15, [0]),
            (24.999, [0]),
            (25, [0, 10]),
        ],
    )
    def test_a_pane_closes_a_lateness_after_its_end(self, watermark: float, panes: list[int]) -> None:
        made = board(part(group(predictions(), 0), group(predictions(), 10 * SECOND)), told(watermark))
        assert [pane.start // SECOND for pane in made.ready()] == panes

    def test_by_time_then_model(self) -> None:
        later = part(group(predictions(), 10 * SECOND), model="a")
        first = [part(group(predictions(), 0), model=model) for model in "ba"]
        made = board(later, *first, told(99))
        assert [(pane.start // SECOND, pane.model) for pane in made.ready()] == [(0, "a"), (0, "b"), (10, "a")]
        assert [(pane.start // SECOND, pane.model) for pane in made.ready(limit=1)] == [(0, "a")]

    def test_they_stay_until_they_are_forgotten(self) -> None:
        made = board(part(group(predictions(), 0)), told(15))
        (pane,) = made.ready()
        assert [again.start for again in made.ready()] == [pane.start]
        made.forget(pane)
        assert made.ready() == []

    def test_position_is_that_of_the_message_that_completed_it(self) -> None:
        (pane,) = board(part(group(predictions(), 0)), told(9), told(15)).ready()
        assert pane.position == 2


class TestParts:
    def counted(self, *parts: dict[str, Any]) -> int:
        (pane,) = board(*parts, told(15, position=1000)).ready()
        return pane.windows[KEY].predictions

    def test_of_one_block_the_highest_offset_holds(self) -> None:
        first, second = part(group(predictions(3), 0), offset=99), part(group(predictions(5), 0), offset=199)
        assert self.counted(first, second) == 5
        assert self.counted(second, first) == 5, "the order of arrival says nothing"
        assert self.counted(first, second, second, first, second) == 5, "sent again changes nothing"

    def test_what_a_newer_owner_counts_holds_as_far_as_ticks_have_told(self) -> None:
        """It may know of pairs that the one before had not put together; on the word of a tick panes close."""
        before = part(group(predictions(3), 0), offset=99) | {"epoch": 1}
        beginning, whole = (part(group(predictions(5), 0), offset=offset) | {"epoch": 2} for offset in (49, 99))
        assert self.counted(before, beginning) == 5, "nobody was told of what lies beyond"
        assert self.counted(before, told(9, position=50), beginning) == 5
        assert self.counted(before, told(9, position=51), beginning) == 3
        assert self.counted(before, told(9, position=100), beginning) == 3
        assert self.counted(before, told(9, position=100), beginning, whole) == 5

    def test_blocks_and_sources_add_up(self) -> None:
        rows = [group(predictions(2), 0)]
        parts = [part(*rows, block=0), part(*rows, block=1), part(*rows, source=("predictions", 1))]
        assert self.counted(*parts) == 6

    def test_groups_of_one_block_are_told_apart(self) -> None:
        """A later part names only what has changed since: the rest of the block holds as it was."""
        web = (("channel", "web"),)
        (pane,) = board(
            part(group(predictions(3), 0), group(predictions(2), 0, segment=web), offset=10),
            part(group(predictions(4), 0), offset=20),
            told(15),
        ).ready()
        assert pane.windows[KEY].predictions == 4
        assert pane.windows["1", web].predictions == 2

    def test_late_rows_count_in_their_cohort_only(self) -> None:
        (pane,) = board(part(group(predictions(3), 0), group(predictions(2), 0, late=True)), told(15)).ready()
        assert pane.windows[KEY].predictions == 3
        assert pane.cohorts["1", (), 0].predictions == 5

    def test_cohorts_are_told_apart(self) -> None:
        made = board(part(group(labelled(3, 1), 0, cohort=0), group(labelled(2, 0), 0, cohort=86_400_000)), told(15))
        (pane,) = made.ready()
        assert pane.windows[KEY].label_count == 6
        assert {key[2]: totals.label_count for key, totals in pane.cohorts.items()} == {0: 4, 86_400_000: 2}

    def test_sample_rows_are_of_all_traffic_that_was_on_time(self) -> None:
        rows = predictions(3, features={"x": [1, 2, 3]}, sample_rows=9)
        web = (("channel", "web"),)
        groups = [group(rows, 0), group(rows, 0, late=True), group(rows, 0, segment=web)]
        (pane,) = board(part(*groups), part(*groups, block=1), told(15)).ready()
        assert pane.samples["1"].features == {"x": [1, 2, 3, 1, 2, 3]}
        assert all(totals.sample is None for totals in (*pane.windows.values(), *pane.cohorts.values()))

    def test_merged_in_the_order_of_the_blocks(self) -> None:
        """0.1 + 0.2 + 0.3 is not 0.3 + 0.2 + 0.1: the order of arrival must not show."""
        parts = [part(group(predictions(1, latency_ms=ms), 0), block=n) for n, ms in enumerate((0.1, 0.2, 0.3))]
        states = []
        for order in (parts, parts[::-1]):
            (pane,) = board(*order, told(15)).ready()
            states.append(pane.windows[KEY].state())
        assert states[0] == states[1]
        assert states[0]["latency"]["total"] == 0.1 + 0.2 + 0.3

    def test_resources_bring_parts_and_no_watermark(self) -> None:
        assert self.counted(part(group(predictions(2), 0), source=("resources", 0))) == 2

    def test_before_1970(self) -> None:
        (pane,) = board(part(group(predictions(2), -10 * SECOND), examples=[0, 1, 1, 1]), told(15)).ready()
        assert (pane.start, pane.end) == (-10 * SECOND, 0)

    def test_examples_of_a_block_go_to_its_latest_pane(self) -> None:
        rows = (group(labelled(1, 0), 0), group(labelled(1, 0), 10 * SECOND))
        made = board(
            part(*rows, offset=5, examples=[3, 70, 70, 2]), part(*rows, offset=9, examples=[3, 70, 75, 8]), told(25)
        )
        first, second = made.ready()
        assert first.examples == []
        assert second.examples == [Examples(("predictions", 0, 0), "1", 3, 70, 75, 8)]


class TestClosed:
    def test_parts_of_closed_panes_are_ignored(self) -> None:
        made = board(part(group(predictions(3), 0)), told(15))
        made.forget(made.ready()[0])
        made.add(part(group(predictions(4), 0), offset=1), 2)
        assert made.ready() == []
        assert made.after_close == 1
        assert made.floor(3) == 1

    def test_what_the_stored_state_says_is_closed(self) -> None:
        made = PaneBoard(WindowSettings())
        made.closed("credit", 10 * SECOND)
        made.add(part(group(predictions(3), 0), group(predictions(4), 10 * SECOND)), 0)
        made.add(part(group(predictions(5), 0), model="other"), 1)
        made.add(told(99), 2)
        assert [(pane.model, pane.start // SECOND) for pane in made.ready()] == [("other", 0), ("credit", 10)]


class TestFloor:
    #  offset   0      1      2      3      4
    #        tick A  part 0 tick B part 10 tick A
    def test_the_first_part_of_each_open_pane_and_the_latest_ticks(self) -> None:
        made = board(
            told(1, of=2),
            part(group(predictions(), 0)),
            told(16, partition=1, of=2),
            part(group(predictions(), 10 * SECOND)),
            told(16, position=2, of=2),
        )
        assert made.floor(5) == 1, "the first part of pane 0"
        (pane,) = made.ready()
        made.forget(pane)
        assert made.floor(5) == 2, "the latest tick of B"
        made.add(told(16, partition=1, of=2), 5)
        assert made.floor(6) == 3, "the first part of pane 10"

    def test_nothing_open(self) -> None:
        assert board().floor(7) == 7

    def test_a_restart_at_the_floor_closes_the_same(self) -> None:
        """
        offset 0 part(0)  1 tick  2 part(10)  3 part(0) again, newer  4 tick 15  5 tick 25
        """
        log = [
            part(group(predictions(1), 0), offset=0),
            told(3),
            part(group(predictions(2), 10 * SECOND), offset=1),
            part(group(predictions(3), 0), offset=2),
            told(15, position=2),
            told(25, position=3),
        ]
        first = board(*log[:5])
        (pane,) = first.ready()
        first.forget(pane)
        floor = first.floor(5)
        second = PaneBoard(WindowSettings())
        second.closed("credit", pane.end)
        for offset in range(floor, len(log)):
            second.add(log[offset], offset)
        assert [(p.start // SECOND, p.windows[KEY].predictions) for p in second.ready()] == [(10, 2)]

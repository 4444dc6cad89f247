import numpy as np

from app.settings import WindowSettings
from app.windowing.grouping import Group, groupings, moments

WINDOWS = WindowSettings(pane_s=10, allowed_lateness_s=5, tumbling_s=[20], hopping_s=[], cohort_s=100)
EARLY = np.iinfo(np.int64).min


def seconds(*values: float) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return (np.array(values) * 1000).astype(np.int64)


def grouped(times, cohorts, watermarks, columns, counted=None):  # type: ignore[no-untyped-def]
    when = moments(times, cohorts, watermarks, WINDOWS)
    return [
        [groups[code] if code >= 0 else None for code in codes] for groups, codes in groupings(when, columns, counted)
    ]


def test_rows_fall_into_panes_and_cohorts() -> None:
    #  panes    |---0---|--10---|  ...  |--100--|
    #  cohorts  |-----------0-----------|---100---
    times = seconds(1, 9.999, 10, 105)
    [everything] = grouped(times, times, np.full(4, EARLY), {})
    assert everything == [
        Group((), 0, 0, False),
        Group((), 0, 0, False),
        Group((), 10000, 0, False),
        Group((), 100000, 100000, False),
    ]


def test_a_pair_counts_in_the_pane_of_its_truth_and_the_cohort_of_its_prediction() -> None:
    [everything] = grouped(seconds(205, 205), seconds(50, 199), np.full(2, EARLY), {})
    assert everything == [Group((), 200000, 0, False), Group((), 200000, 100000, False)]


def test_a_late_row_sits_where_its_source_is_and_counts_in_its_own_cohort() -> None:
    # the source has come to 130: the pane [20..30) was over at 35, the pane [120..130) is not before 135
    times = seconds(25, 125)
    [everything] = grouped(times, times, seconds(130, 130), {})
    assert everything == [Group((), 130000, 0, True), Group((), 120000, 100000, False)]


def test_each_segment_column_groups_the_rows_that_have_a_value_in_it() -> None:
    times = seconds(1, 2, 12)
    columns = {"channel": ["web", "app", "web"], "region": [None, "north", None]}
    everything, channel, region = grouped(times, times, np.full(3, EARLY), columns)
    assert [group.pane for group in everything] == [0, 0, 10000]
    assert [group.segment for group in channel] == [(("channel", "web"),), (("channel", "app"),), (("channel", "web"),)]
    assert region == [None, Group((("region", "north"),), 0, 0, False), None]


def test_rows_that_do_not_count_are_in_no_group() -> None:
    times = seconds(1, 2, 3)
    everything, channel = grouped(
        times, times, np.full(3, EARLY), {"channel": ["web"] * 3}, np.array([True, False, True])
    )
    assert everything[1] is None
    assert channel == [Group((("channel", "web"),), 0, 0, False), None, Group((("channel", "web"),), 0, 0, False)]


def test_a_value_of_a_megabyte_names_no_segment() -> None:
    times = seconds(1, 2)
    _, channel = grouped(times, times, np.full(2, EARLY), {"channel": ["x" * 1_000_000, "web"]})
    assert channel[0] is None


def test_a_time_of_1970_beside_one_of_today_is_grouped_without_a_table_in_between() -> None:
    times = seconds(5, 1.795e9)
    [everything] = grouped(times, times, np.full(2, EARLY), {})
    assert [group.pane for group in everything] == [0, 1_795_000_000_000]

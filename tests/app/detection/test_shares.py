"""Shares against what is usual of them: silent over weeks in which nothing changes, quick when something does."""

import json
from math import log

import numpy as np
import pytest

from app.alerts.defaults import TOLERANCES
from app.detection.budget import Budget
from app.detection.shares import Shares, Tolerance
from tests.app.detection.streams import WINDOW_MS, World

MONTH = 1440
TOLERANCE = Tolerance(0.01, 0.1, ready=50)
RUNNING: frozenset[str] = frozenset()


def alarms(
    world: World, seed: int, windows: int, log_threshold: float, tolerance: Tolerance = TOLERANCE
) -> list[tuple[int, str]]:
    """(window, stream) of each; a stream that has raised one begins anew."""
    shares, found = Shares(), []
    for window, hits in enumerate(world.windows(seed, windows)):
        read = shares.read(hits, dict.fromkeys(hits, tolerance), RUNNING)
        raised = [name for name, log_m in zip(read.names, read.log_m, strict=True) if log_m >= log_threshold]
        found += [(window, name) for name in raised]
        shares.restart(raised)
        shares.learn(hits, read.log_m < log_threshold / 2, window * WINDOW_MS, (window + 1) * WINDOW_MS)
    return found


@pytest.mark.parametrize(
    "world",
    [
        World(streams=100),
        World(streams=100, rows=8),
        World(streams=100, share=0.01, rows=2000),
        World(streams=100, wander=0.07, rows=3000),
        World(streams=100, wander=0.2, wave=0.1, share=0.01, rows=5000),
    ],
    ids=["independent", "few rows", "rare", "wandering", "rare and wandering"],
)
def test_a_month_in_which_nothing_changes_stays_within_the_budget(world: World) -> None:
    """The 100 streams share the budget of one alarm. Of a Poisson count with mean 1, 4 is the 99.6 % quantile."""
    threshold = Budget(window_ms=WINDOW_MS).log_threshold(1 / world.streams)
    found = alarms(world, 1, MONTH, threshold)
    assert len(found) <= 4, found


def test_long_windows_that_wander_by_themselves() -> None:
    """They are more different from each other than any number of rows explains, and soon forget it.

    Four times the budget of one alarm: of a Poisson count with mean 4, 10 is the 99.7 % quantile.
    """
    world = World(streams=500, wander=0.2, wave=0.1, share=0.01, rows=27_000, memory=1.0)
    threshold = Budget(window_ms=WINDOW_MS).log_threshold(1 / world.streams)
    assert sum(len(alarms(world, seed, 360, threshold, TOLERANCES["missing"])) for seed in range(4)) <= 10


def test_a_course_of_the_day_is_known_after_a_day() -> None:
    """By 30 % of the odds up and down: on the first day that can't be told from a change."""
    world = World(streams=100, wander=0.1, wave=0.3, rows=500)
    found = alarms(world, 1, MONTH, Budget(window_ms=WINDOW_MS).log_threshold(1 / world.streams))
    assert [one for one in found if one[0] >= 2 * 48] == []


@pytest.mark.parametrize(("rows", "within"), [(400.0, 2), (200.0, 4), (20.0, 30)])
def test_a_change_is_found_within_twice_lordens_bound(rows: float, within: int) -> None:
    """The bound is log(A) / KL for a known change from a known share: 1, 2 and 13 windows here."""
    threshold = Budget(window_ms=60_000).log_threshold(0.2)
    delays = []
    for seed in range(5):
        found = alarms(World(rows=rows, change=300), seed, 400, threshold)
        assert found[0][0] >= 300
        delays.append(found[0][0] - 299)
    assert np.median(delays) <= within


def test_a_wandering_stream_still_shows_a_real_change() -> None:
    threshold = Budget(window_ms=WINDOW_MS).log_threshold(0.2)
    found = alarms(World(rows=3000, wander=0.07, change=500), 3, 520, threshold)
    assert 500 <= found[0][0] < 505


def test_bursts_count_as_fewer_rows() -> None:
    """Rows that come ten at a time all alike say a tenth."""
    rng = np.random.default_rng(1)
    shares = Shares()
    for window in range(200):
        hits = {"x": (10.0 * float(rng.binomial(30, 0.1)), 300.0)}
        read = shares.read(hits, {"x": TOLERANCE}, RUNNING)
        shares.learn(hits, read.log_m < 6, window * WINDOW_MS, (window + 1) * WINDOW_MS)
    assert shares.learned.design_effect[0] == pytest.approx(10, rel=0.25)
    assert read.rows[0] == pytest.approx(300 / shares.learned.design_effect[0], rel=0.1)


def test_nothing_is_judged_without_a_reference() -> None:
    read = Shares().read({"x": (90.0, 100.0)}, {"x": TOLERANCE}, RUNNING)
    assert np.isnan(read.usual[0])
    assert read.log_e[0] == 0


def test_but_by_the_bound_of_the_beginning() -> None:
    read = Shares().read({"x": (90.0, 100.0)}, {"x": Tolerance(0.01, at_first=0.1)}, RUNNING)
    assert read.bound[0] == 0.1
    assert read.log_m[0] > 50


def test_a_seed_is_a_reference() -> None:
    shares = Shares()
    shares.seed("x", 10, 1000)
    read = shares.read({"x": (50.0, 100.0)}, {"x": TOLERANCE}, RUNNING)
    assert read.usual[0] == pytest.approx(0.01)
    assert read.log_m[0] > log(1e9)


def test_what_pauses_gathers_nothing() -> None:
    shares = Shares()
    shares.seed("x", 10, 1000)
    read = shares.read({"x": (50.0, 100.0)}, {"x": TOLERANCE}, frozenset({"x"}))
    assert read.log_e[0] > 20, "it is still said what the window says"
    assert read.log_m[0] < 0


def test_streams_may_come_later() -> None:
    shares = Shares()
    for window in range(3):
        hits = {"x": (1.0, 100.0)} | ({"y": (5.0, 100.0)} if window else {})
        shares.read(hits, dict.fromkeys(hits, TOLERANCE), RUNNING)
        shares.learn(hits, np.ones(len(hits), bool), window * WINDOW_MS, (window + 1) * WINDOW_MS)
    assert shares.learned.rows.tolist() == [300, 200]


def test_a_round_trip_of_the_state_changes_nothing() -> None:
    one, other = Shares(), Shares()
    for window, hits in enumerate(World(streams=3, wander=0.1, change=250).windows(5, 400)):
        other = Shares(json.loads(json.dumps(other.state())))
        read = [shares.read(hits, dict.fromkeys(hits, TOLERANCE), RUNNING) for shares in (one, other)]
        assert (read[0].log_m == read[1].log_m).all()
        for shares in (one, other):
            shares.learn(hits, read[0].log_m < 5, window * WINDOW_MS, (window + 1) * WINDOW_MS)
    assert one.state() == other.state()
    assert not one.learned.learning, "what is only needed to learn is stored no longer"
    assert "blocks" not in one.state()["learned"]


def test_what_a_baseline_says_of_the_wander_counts_from_the_first_window_on() -> None:
    shares = Shares()
    shares.expect("x", 0.01)
    shares.seed("x", 1000, 10_000)
    told = shares.read({"x": (0.0, 1.0)}, {"x": TOLERANCE}, RUNNING)
    assert told.bound[0] > 0.14, "four deviations, in log-odds"
    part = Shares()
    part.seed("x", 1000, 10_000)
    part.follow(shares)
    assert part.learned.wander[0] == 0.01, "a part wanders at least as the whole"

"""When a worker is ready: what is said, moment by moment, by a clock that is moved by hand."""

import pytest

from streams.readiness import STALL_S, Readiness
from streams.snapshot import PartitionState

BLOCK = 100


def state(position: int, end: int | None, committed: int = 0, partition: int = 0) -> PartitionState:
    return PartitionState("predictions", partition, position, committed, end)


def said(readiness: Readiness, *states: PartitionState, now_s: float = 0.0) -> tuple[str, ...]:
    return readiness.reasons(states, rebalancing=False, baselines=True, now_s=now_s)


@pytest.mark.parametrize(
    ("states", "rebalancing", "baselines", "reasons"),
    [
        ((state(0, 0),), False, True, ()),
        ((state(0, 99),), False, True, ()),  # less than a block is what any moment's traffic may be
        ((state(0, 100),), False, True, ("predictions-0 is 100 records behind",)),
        ((state(0, None),), False, True, ("the end of predictions-0 is not known yet",)),
        ((), False, True, ("no partitions are assigned to this worker",)),
        ((), True, True, ("partitions are being assigned",)),
        ((state(0, 0),), False, False, ("the baselines are not loaded yet",)),
        (
            (state(0, 500), state(0, 700, partition=1)),
            False,
            True,
            ("predictions-0 is 500 records behind", "predictions-1 is 700 records behind"),
        ),
    ],
)
def test_reasons(
    states: tuple[PartitionState, ...], rebalancing: bool, baselines: bool, reasons: tuple[str, ...]
) -> None:
    assert Readiness(BLOCK).reasons(states, rebalancing=rebalancing, baselines=baselines, now_s=0.0) == reasons


def test_a_partition_that_caught_up_once_stays_ready_in_a_burst() -> None:
    readiness = Readiness(BLOCK)
    assert said(readiness, state(0, 50)) == ()
    assert said(readiness, state(50, 5000)) == ()


def test_a_partition_that_left_must_catch_up_again() -> None:
    readiness = Readiness(BLOCK)
    assert said(readiness, state(0, 0), state(0, 0, partition=1)) == ()
    assert said(readiness, state(0, 0)) == ()
    assert said(readiness, state(0, 0), state(0, 5000, partition=1)) == ("predictions-1 is 5000 records behind",)


def test_lag_that_grows_while_the_commit_stands_still_is_a_reason() -> None:
    readiness = Readiness(BLOCK)
    assert said(readiness, state(0, 10)) == ()
    assert said(readiness, state(10, 5000), now_s=STALL_S) == ()
    assert said(readiness, state(10, 6000), now_s=STALL_S + 1) == (
        "predictions-0 has committed nothing for 61 s, and 6000 records wait",
    )
    assert said(readiness, state(400, 6500, committed=300), now_s=STALL_S + 2) == ()
    assert said(readiness, state(400, 6500, committed=300), now_s=3 * STALL_S) == (), "nothing came in the meantime"


def test_a_block_that_fills_slowly_is_no_stall() -> None:
    readiness = Readiness(BLOCK)
    assert said(readiness, state(0, 0)) == ()
    assert said(readiness, state(199, 199), now_s=10 * STALL_S) == ()

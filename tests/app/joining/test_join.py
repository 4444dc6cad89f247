"""Labels and predictions in every order, cut, repeated and crashed: each pair counts once and in the same place."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.joining.entries import Side, decode_entry, positions
from app.joining.join import Join, Outcome
from app.joining.layouts import Layouts

EARLY = np.iinfo(np.int64).min
DAY = 86_400_000
SIDES = {"predictions": Side.PREDICTION, "labels": Side.LABEL}


class Memory:
    """A store that a crash does not lose."""

    def __init__(self) -> None:
        self.entries: dict[bytes, bytes] = {}
        self.layouts = Layouts()

    def get(self, ids: Sequence[bytes]) -> list[bytes | None]:
        return [self.entries.get(identity) for identity in ids]

    def put(self, entries: Iterable[tuple[bytes, bytes]]) -> None:
        self.entries.update(entries)


Row = tuple[int, str, int, object]  # offset, id, time, label (None: a prediction)


Counted = set[tuple[str, int, object]]  # id, time and value of a label whose pair, or correction, counts


class Read(NamedTuple):
    outcome: Outcome
    offset: int
    counted: Counted


def read(join: Join, side: str, rows: Sequence[Row], watermark: int = EARLY) -> list[Read]:
    """What each row came to."""
    offsets = np.array([row[0] for row in rows], np.int64)
    at, times = positions(offsets, np.zeros(len(rows), np.int64)), np.array([row[2] for row in rows], np.int64)
    ids, before = [row[1] for row in rows], np.full(len(rows), watermark)
    if side == "predictions":
        joined = join.predictions(ids, at, times, [f"{row[0]}".encode() for row in rows], before)
    else:
        joined = join.labels(ids, at, times, [row[3] for row in rows], before)  # type: ignore[misc]
    assert len(joined.pairs) == (joined.outcomes == Outcome.MATCHED).sum()
    counted: list[Counted] = [set() for _ in rows]
    for pair in (*joined.pairs, *joined.corrections):
        assert (pair.place > 0) == (pair in joined.corrections)
        counted[pair.row].add((rows[pair.row][1], pair.seen.timestamp, pair.seen.label))
    return [
        Read(Outcome(outcome), row[0], own) for outcome, row, own in zip(joined.outcomes, rows, counted, strict=True)
    ]


def outcomes(side: str, join: Join, *rows: Row, watermark: int = EARLY) -> list[Outcome]:
    return [one.outcome for one in read(join, side, rows, watermark)]


def truth(made: Sequence[str], true: Sequence[Row]) -> Counted:
    """All that must count: of each id that was predicted the first label, and each that corrects the one before."""
    last: dict[str, tuple[int, object]] = {}
    found: Counted = set()
    for _, identity, time, value in true:
        known = last.get(identity)
        if identity in made and (known is None or (time > known[0] and value != known[1])):
            last[identity] = time, value
            found.add((identity, time, value))
    return found


def test_a_label_after_its_prediction_completes_the_pair() -> None:
    join = Join(Memory(), DAY)
    assert outcomes("predictions", join, (0, "a", 10, None)) == [Outcome.NEW]
    assert outcomes("labels", join, (0, "a", 20, "yes")) == [Outcome.MATCHED]


def test_a_label_before_its_prediction_waits_for_it() -> None:
    join = Join(Memory(), DAY)
    assert outcomes("labels", join, (0, "a", 20, "yes")) == [Outcome.NEW]
    assert outcomes("predictions", join, (0, "a", 10, None)) == [Outcome.MATCHED]


def test_the_first_prediction_and_the_first_label_of_an_id_count() -> None:
    join = Join(Memory(), DAY)
    assert outcomes("predictions", join, (0, "a", 10, None), (1, "a", 11, None)) == [Outcome.NEW, Outcome.DUPLICATE]
    assert outcomes("labels", join, (0, "a", 20, "yes"), (1, "a", 20, "yes")) == [Outcome.MATCHED, Outcome.DUPLICATE]


def test_a_later_label_that_differs_is_a_correction_and_an_earlier_one_is_not() -> None:
    join = Join(Memory(), DAY)
    outcomes("predictions", join, (0, "a", 10, None))
    found = outcomes("labels", join, (0, "a", 20, "yes"), (1, "a", 30, "no"), (2, "a", 25, "yes"), (3, "a", 30, "no"))
    assert found == [Outcome.MATCHED, Outcome.CORRECTED, Outcome.DUPLICATE, Outcome.DUPLICATE]


def test_a_correction_counts_with_the_later_of_it_and_the_prediction() -> None:
    late, early = Join(Memory(), DAY), Join(Memory(), DAY)
    rows: list[Row] = [(0, "a", 20, "yes"), (1, "a", 30, "no"), (2, "a", 40, "yes")]
    read(late, "predictions", [(0, "a", 10, None)])
    assert [one.counted for one in read(late, "labels", rows)] == [{("a", time, value)} for _, _, time, value in rows]
    assert [one.counted for one in read(early, "labels", rows[:2])] == [set(), set()]
    [predicted] = read(early, "predictions", [(0, "a", 10, None)])
    assert predicted.counted == {("a", 20, "yes"), ("a", 30, "no")}
    assert [one.counted for one in read(early, "labels", rows)] == [set(), set(), {("a", 40, "yes")}]


def test_an_entry_of_before_there_were_early_corrections_can_be_read() -> None:
    old = msgspec.msgpack.encode([5, 10, EARLY, b"{}", Side.LABEL, [[1, 20, EARLY, "yes"]]])
    assert decode_entry(old).early == 0


def test_after_the_horizon_an_id_is_new_again() -> None:
    join = Join(Memory(), DAY)
    outcomes("predictions", join, (0, "a", 10, None))
    assert outcomes("labels", join, (0, "a", 20, "yes"), watermark=10 + DAY) == [Outcome.MATCHED]
    assert outcomes("labels", join, (1, "a", 20, "yes"), watermark=11 + DAY) == [Outcome.EXPIRED]


def test_rows_of_one_batch_have_positions_of_their_own() -> None:
    assert positions(np.array([5, 5, 6]), np.array([0, 1, 0])) == [5 << 24, (5 << 24) + 1, 6 << 24]


ids = st.sampled_from("abcde")
predictions = st.lists(ids, max_size=12)
labels = st.lists(st.tuples(ids, st.sampled_from(["yes", "no"]), st.integers(0, 5)), max_size=12)
steps = st.lists(st.tuples(st.booleans(), st.integers(1, 4)), max_size=30)
rewinds = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12), steps), max_size=3)


@settings(max_examples=300, deadline=None)
@given(predictions, labels, steps, rewinds)
def test_a_replay_in_another_order_repeats_what_the_first_run_did(
    made: list[str],
    true: list[tuple[str, str, int]],
    first: list[tuple[bool, int]],
    replays: list[tuple[int, int, list[tuple[bool, int]]]],
) -> None:
    """Whatever is read again, however interleaved: a record that completed a pair does so again, and no other does."""
    rows = {
        "predictions": [(offset, identity, 100 + offset, None) for offset, identity in enumerate(made)],
        "labels": [(offset, identity, 100 + at, value) for offset, (identity, value, at) in enumerate(true)],
    }
    join, at = Join(Memory(), DAY), {"predictions": 0, "labels": 0}
    seen: dict[tuple[str, int], Read] = {}
    everything = [(True, 100), (False, 100)]
    for back_p, back_l, order in [(0, 0, first), *replays, (0, 0, everything)]:
        at = {"predictions": max(at["predictions"] - back_p, 0), "labels": max(at["labels"] - back_l, 0)}
        for predicted, count in order:
            side = "predictions" if predicted else "labels"
            for one in read(join, side, rows[side][at[side] : at[side] + count]):
                known = seen.setdefault((side, one.offset), one)
                assert one.counted == known.counted
                assert (one.outcome is Outcome.CORRECTED) == (known.outcome is Outcome.CORRECTED)
            at[side] = min(at[side] + count, len(rows[side]))
    assert sorted(pair for one in seen.values() for pair in one.counted) == sorted(truth(made, rows["labels"]))


lives = st.lists(st.tuples(steps, st.integers(0, 8), st.integers(0, 8), st.booleans()), min_size=1, max_size=4)


@settings(max_examples=500, deadline=None)
@given(predictions, labels, lives)
def test_a_store_made_anew_counts_no_pair_again_and_loses_none(
    made: list[str], true: list[tuple[str, str, int]], each: list[tuple[list[tuple[bool, int]], int, int, bool]]
) -> None:
    """The store is lost after each life, and made anew from what lies below the commits and from the examples."""
    rows = {
        "predictions": [(offset, identity, 100 + offset, None) for offset, identity in enumerate(made)],
        "labels": [(offset, identity, 100 + at, value) for offset, (identity, value, at) in enumerate(true)],
    }
    floors, at = {"predictions": 0, "labels": 0}, {"predictions": 0, "labels": 0}
    places: dict[tuple[str, int], int] = {}
    counted: dict[tuple[str, int], Counted] = {}  # what each record that was read last completed
    examples: dict[str, dict[int, Side]] = {}  # id -> time of the label -> the topic of the record that it counted with
    for order, back_p, back_l, labels_first in [*each, ([(True, 100), (False, 100)], 0, 0, False)]:
        join = Join(Memory(), DAY)
        for side in ("labels", "predictions") if labels_first else ("predictions", "labels"):
            other = {identity for identity, sides in examples.items() if set(sides.values()) - {SIDES[side]}}
            read(join, side, [row for row in rows[side] if row[0] < floors[side] or row[1] in other])
        join.completed(examples)
        at = dict(floors)
        for predicted, count in order:
            side = "predictions" if predicted else "labels"
            chunk = rows[side][at[side] : at[side] + count]
            for one in read(join, side, chunk):
                counted[side, one.offset] = one.counted
                for identity, time, _ in one.counted:
                    assert examples.setdefault(identity, {}).setdefault(time, SIDES[side]) == SIDES[side]
                    assert places.setdefault((identity, time), one.offset) == one.offset
            at[side] = min(at[side] + count, len(rows[side]))
        # Commits never go back; what lies above them is forgotten and read again.
        floors = {
            "predictions": max(at["predictions"] - back_p, floors["predictions"]),
            "labels": max(at["labels"] - back_l, floors["labels"]),
        }
    assert sorted(pair for own in counted.values() for pair in own) == sorted(truth(made, rows["labels"]))


@given(
    rows=st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.integers(0, 5), st.integers(0, 2)), max_size=25),
    floors=st.tuples(st.integers(0, 12), st.integers(0, 12)),
)
@settings(max_examples=300)
def test_what_is_forgotten_above_two_offsets_was_never_read(
    rows: Sequence[tuple[bool, int, int, int]], floors: tuple[int, int]
) -> None:
    """A store that another owner had no part in must know what a store knows that never came further."""
    all_of_it, below = Memory(), Memory()
    joins, offsets = (Join(all_of_it, DAY), Join(below, DAY)), {"predictions": 0, "labels": 0}
    floor = dict(zip(offsets, floors, strict=True))
    for is_label, identity, time, value in rows:
        side = "labels" if is_label else "predictions"
        row: Row = (offsets[side], f"id{identity}", time, float(value) if is_label else None)
        offsets[side] += 1
        for join in joins if row[0] < floor[side] else joins[:1]:
            read(join, side, [row])
    joins[0].forget([f"id{number}" for number in range(4)], {SIDES[side]: floor[side] for side in SIDES})
    assert {identity: entry for identity, entry in all_of_it.entries.items() if entry} == below.entries


def test_an_entry_of_which_nothing_is_left_is_as_none() -> None:
    store = Memory()
    join = Join(store, DAY)
    outcomes("predictions", join, (7, "a", 10, None))
    join.forget(["a", "b"], {Side.PREDICTION: 7, Side.LABEL: 0})
    assert outcomes("labels", join, (0, "a", 20, 1)) == [Outcome.NEW]
    assert outcomes("predictions", join, (7, "a", 10, None)) == [Outcome.MATCHED]

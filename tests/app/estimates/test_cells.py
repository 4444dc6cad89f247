"""Cells of probabilities: any cut and any order of merging gives the same, and other classes never mix."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.estimates.cells import KNOWN_KINDS, UNKNOWN_KINDS, ScoreCells, right
from tests.app.estimates import made


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 20), st.permutations(range(5)), st.sampled_from([2, 3, 12]), st.booleans())
def test_parts_merged_in_any_order_are_the_whole(seed: int, order: list[int], classes: int, known: bool) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.dirichlet(np.ones(classes), 100)
    predicted, truth = rng.integers(0, classes, 100), rng.integers(0, classes, 100) if known else None
    (whole,) = made.cells(matrix, predicted, truth)
    parts = made.cells(matrix, predicted, truth, index=rng.integers(0, 5, 100), groups=5)
    merged = ScoreCells(whole.kinds)
    for place in order:
        merged.merge(parts[place])
    assert merged.state() == whole.state()
    assert merged.rows == pytest.approx(100)


def test_weighted_rows_are_added_in_their_order_however_they_are_cut() -> None:
    p, predicted, truth = made.binary(60)
    weights = np.random.default_rng(1).uniform(1, 4, 60)
    (whole,) = made.cells(p, predicted, truth, weights)
    again = ScoreCells(KNOWN_KINDS)
    for row in range(60):
        # One row after the other: each chunk carries on where the last one stopped.
        (one,) = made.cells(p[[row]], predicted[[row]], truth[[row]], weights[[row]])
        again.merge(one)
    assert json.dumps(again.state()) == json.dumps(whole.state())
    assert whole.rows == pytest.approx(weights.sum())
    assert whole.squares[0] == pytest.approx((weights**2).sum())
    assert right(whole) == pytest.approx(weights[predicted == truth].sum())


def test_state_round_trip() -> None:
    p, predicted, truth = made.binary(200)
    for (cells,) in (made.cells(p, predicted), made.cells(p, predicted, truth)):
        state = json.loads(json.dumps(cells.state()))
        again = ScoreCells.from_state(state, cells.kinds)
        assert again.state() == cells.state() == state
        assert (again.whole() == cells.whole()).all()


def test_rows_of_other_classes_drop_all() -> None:
    p, predicted, _ = made.binary(10)
    (two,), (three,) = made.cells(p, predicted), made.cells(np.full((10, 3), 1 / 3), predicted)
    two.merge(three)
    assert two.mixed
    assert two.state() == {"mixed": True}
    again = ScoreCells.from_state(two.state(), UNKNOWN_KINDS)
    again.merge(three)
    assert again.mixed


def test_rows_in_one_chunk_that_name_other_classes() -> None:
    """Each row counts by what it names itself: the columns of other rows change nothing."""
    matrix = np.array([[0.2, 0.8, np.nan], [0.6, 0.4, np.nan], [0.1, 0.2, 0.7], [np.nan] * 3])
    pairs, triple, nothing = made.cells(matrix, np.array([1, 0, 2, 0]), index=np.array([0, 0, 1, 2]), groups=3)
    (alone,) = made.cells(matrix[:2, :2], np.array([1, 0]))
    assert pairs.state() == alone.state()
    assert triple.layout is not None
    assert triple.layout.classes == ("0", "1", "2")
    assert not nothing.seen


def test_a_truth_that_the_row_did_not_name_is_left_out() -> None:
    p, predicted, truth = made.binary(50)
    unknown = np.where(np.arange(50) < 10, -1, truth)
    (cells,) = made.cells(p, predicted, unknown)
    assert cells.rows == 40

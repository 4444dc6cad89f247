"""Rows that wait come out when they are due, each once, from memory and from disk."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.replay.pending import BATCH_ROWS, Pending


def taken(pending: Pending, limit: int) -> list[tuple[int, int, int]]:
    """(row, time, label time) of all that is due."""
    return [
        (row, int(time), int(known))
        for rows, times, label_times in pending.due(limit)
        for row, time, known in zip(rows.column("row").to_pylist(), times, label_times, strict=True)
    ]


@given(
    batches=st.lists(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=20), max_size=50),
    limits=st.lists(st.integers(0, 60), max_size=5),
    held_rows=st.integers(1, 200),
)
def test_each_row_is_due_once_at_the_later_of_its_times(
    batches: list[list[tuple[int, int]]], limits: list[int], held_rows: int
) -> None:
    pending = Pending(held_rows)
    waiting: dict[int, tuple[int, int]] = {}
    for batch in batches:
        first = len(waiting)
        waiting |= {first + place: times for place, times in enumerate(batch)}
        rows = pa.record_batch({"row": list(range(first, first + len(batch)))})
        pending.add(rows, np.array([t for t, _ in batch], np.int64), np.array([k for _, k in batch], np.int64))
    for limit in [*sorted(limits), 100]:
        wanted = {(row, time, known) for row, (time, known) in waiting.items() if max(time, known) <= limit}
        found = taken(pending, limit)
        assert (len(found), set(found)) == (len(wanted), wanted)
        waiting = {row: times for row, times in waiting.items() if max(times) > limit}
    assert pending.reach() is None


@pytest.mark.parametrize("held_rows", [1000, 1_000_000])
def test_what_is_taken_at_once_is_bounded(held_rows: int) -> None:
    pending = Pending(held_rows)
    count = 4 * BATCH_ROWS
    known = np.random.default_rng(1).permutation(count)
    pending.add(pa.record_batch({"row": known}), np.zeros(count, np.int64), known)
    reached = []
    while (limit := pending.reach()) is not None:
        reached.append(limit)
        assert 0 < len(taken(pending, limit)) <= BATCH_ROWS
    assert all(one < other for one, other in pairwise(reached))


def test_text_that_is_coded_in_the_file_waits_as_text() -> None:
    pending = Pending(held_rows=3)
    for words in (["a", "b"], ["c", "a"], ["d", "d"]):
        rows = pa.record_batch({"row": pa.array(words).dictionary_encode()})
        pending.add(rows, np.zeros(2, np.int64), np.zeros(2, np.int64))
    assert sorted(row for row, _, _ in taken(pending, 0)) == ["a", "a", "b", "c", "d", "d"]

"""A sketch is the sample of the whole, whatever it is merged from."""

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from app.relations import sampling
from app.relations.sampling import Sketch, row_keys


def sketched(keys: np.ndarray, rows: np.ndarray) -> Sketch:
    sketch = Sketch()
    sketch.add(keys.astype(np.uint32), rows)
    return sketch


@given(st.integers(0, 100), st.lists(st.integers(0, 300), max_size=6), st.randoms())
@settings(deadline=None, max_examples=50)
def test_parts_in_any_order_make_the_sketch_of_the_whole(seed: int, inner: list[int], random: object) -> None:
    rng = np.random.default_rng(seed)
    keys, rows = rng.permutation(10_000)[:300], rng.integers(0, 256, (300, 4)).astype(np.uint8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sampling, "ROWS", 40)
        parts = [sketched(keys[a:b], rows[a:b]) for a, b in pairwise([0, *sorted(inner), 300])]
        random.shuffle(parts)  # type: ignore[attr-defined]
        merged = Sketch()
        for part in parts:
            merged.merge(Sketch.from_state(json.loads(json.dumps(part.state()))))
        expected = np.argsort(keys)[:40]
        assert merged.keys.tolist() == keys[expected].tolist()
        assert merged.rows.tolist() == rows[expected].tolist()
        assert merged.state() == sketched(keys, rows).state()


def test_nothing_goes_round() -> None:
    empty = Sketch.from_state(Sketch().state())
    assert (len(empty.keys), len(empty.rows)) == (0, 0)


def test_keys_are_spread_evenly_and_differ_within_a_batch() -> None:
    offsets, times = np.arange(50_000), 1_782_864_000_000 + np.arange(50_000) // 10
    counts = np.bincount(row_keys(offsets, times) >> np.uint32(28), minlength=16)
    assert chisquare(counts).pvalue > 0.001
    batch = row_keys(np.full(1000, 7), np.full(1000, 5))
    assert len(set(batch.tolist())) == 1000


def test_a_row_has_the_same_key_in_any_chunk() -> None:
    offsets, times = np.array([3, 3, 3, 4, 9]), np.array([1, 2, 3, 4, 5])
    assert row_keys(offsets[3:], times[3:]).tolist() == row_keys(offsets, times)[3:].tolist()


def test_no_more_rows_are_looked_at_than_can_be_kept() -> None:
    keys = np.random.default_rng(1).permutation(2000).astype(np.uint32)
    assert sampling.smallest(keys).tolist() == np.flatnonzero(keys < sampling.ROWS).tolist()
    assert sampling.smallest(keys[:7]).tolist() == list(range(7))

"""Sketches against exact counts: within their promised errors, and the same in whatever order they are merged."""

import json
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.quality import distinct_sample, hyperloglog
from app.quality.distinct_sample import DistinctSample
from app.quality.hyperloglog import REGISTERS, Registers
from app.quality.keys import Keys, mixed
from app.statistics.groups import Groups


def keys_of(numbers: Any) -> Keys:
    return mixed(np.array(numbers, np.uint64) + np.uint64(1))


def registers_of(keys: Keys) -> Registers:
    registers = np.zeros(REGISTERS, np.uint8)
    np.maximum.at(registers, *hyperloglog.places(keys))
    return registers


@pytest.mark.parametrize("distinct", [1, 3, 20, 150, 700, 5000, 100_000])
def test_distinct_values_are_counted_within_the_standard_error(distinct: int) -> None:
    found = [hyperloglog.estimate(registers_of(keys_of(np.arange(distinct) + seed * 10**6))) for seed in range(40)]
    error = np.array(found) / distinct - 1
    assert abs(error.mean()) < 4 * 0.065 / np.sqrt(40)
    assert error.std() < 0.065 * 1.4
    if distinct <= 3:
        assert found == pytest.approx([distinct] * 40, abs=0.05)


def test_nothing_is_no_value() -> None:
    assert hyperloglog.estimate(np.zeros(REGISTERS, np.uint8)) == 0


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 400), max_size=300))
def test_registers_survive_their_state(numbers: list[int]) -> None:
    registers = registers_of(keys_of(numbers))
    again = hyperloglog.from_state(json.loads(json.dumps(hyperloglog.state(registers))))
    assert (again == registers).all()


def sample_of(numbers: list[int]) -> DistinctSample:
    sample = DistinctSample()
    DistinctSample.update([sample], Groups(np.zeros(len(numbers), np.int64), 1), keys_of(numbers))
    return sample


numbers_of = st.lists(st.integers(0, 30), max_size=60)


@settings(max_examples=200, deadline=None)
@given(numbers_of, st.lists(st.integers(0, 2), min_size=60, max_size=60), st.permutations(range(3)), st.integers(2, 40))
def test_a_sample_has_all_copies_of_the_smallest_keys(
    numbers: list[int], places: list[int], order: list[int], size: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distinct_sample, "SIZE", size)
        whole = sample_of(numbers)
        tally = Counter(keys_of(numbers).tolist())
        expected = sorted(tally)[:size]
        assert whole.keys.tolist() == expected
        assert whole.counts.tolist() == [tally[key] for key in expected]
        parts = [DistinctSample() for _ in range(3)]
        DistinctSample.update(parts, Groups(np.array(places[: len(numbers)], np.int64), 3), keys_of(numbers))
        merged = DistinctSample()
        for place in order:
            merged.merge(DistinctSample.from_state(json.loads(json.dumps(parts[place].state()))))
        assert merged.state() == whole.state()


def test_rows_that_are_none_are_left_out() -> None:
    sample = DistinctSample()
    DistinctSample.update([sample], Groups(np.zeros(3, np.int64), 1), np.array([0, 7, 0], np.uint64))
    assert sample.keys.tolist() == [7]
    assert sample.counts.tolist() == [1]
    assert sample.repeated is None


def test_the_share_of_repeated_rows_is_right_on_the_mean() -> None:
    """One row in a hundred is a copy: 0.0099 of the rows, with the standard deviation that the documents tell."""
    rng = np.random.default_rng(0)
    shares = []
    for seed in range(200):
        rows = np.arange(10_000) + seed * 20_000
        sample = sample_of(rng.permutation(np.concatenate([rows, rng.choice(rows, 100, replace=False)])).tolist())
        shares.append(sample.repeated)
    assert np.mean(shares) == pytest.approx(100 / 10_100, abs=4 * 0.006 / np.sqrt(200))
    assert np.std(shares) == pytest.approx(0.006, rel=0.25)

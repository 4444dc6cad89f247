"""How many different texts as many rows of a baseline would have, against all samples there are."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.quality.cardinality import Cardinality


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from("abcde"), min_size=1, max_size=8), st.integers(1, 8))
def test_fewer_rows_have_what_their_samples_have_on_average(texts: list[str], rows: int) -> None:
    cardinality = Cardinality.fit({"x": texts})
    assert cardinality is not None
    if rows <= len(texts):
        samples = [len(set(sample)) for sample in combinations(texts, rows)]
        assert cardinality.expected("x", rows) == pytest.approx(np.mean(samples))
    else:
        once = sum(texts.count(text) == 1 for text in set(texts))
        assert cardinality.expected("x", rows) == len(set(texts)) + (rows - len(texts)) * once / len(texts)
    assert Cardinality.from_record(cardinality.record()) == cardinality


def test_large_baselines_lose_no_digits() -> None:
    cardinality = Cardinality.fit(
        {"x": [str(place % 50) for place in range(10**6)], "id": list(map(str, range(10**5)))}
    )
    assert cardinality is not None
    assert cardinality.expected("x", 100) == pytest.approx(50 * (1 - 0.98**100), rel=1e-3)
    assert cardinality.expected("id", 500) == pytest.approx(500)
    assert cardinality.expected("id", 10**6) == 10**6


@pytest.mark.parametrize("values", [[1.0, 2.0], [None], [], ["a", 1.0, 2.0], [[1.0]]])
def test_what_is_not_mostly_text_has_none(values: list[Any]) -> None:
    assert Cardinality.fit({"x": values}) is None


def test_of_another_feature_nothing_is_known() -> None:
    cardinality = Cardinality.fit({"x": ["a"], "y": [1.0]})
    assert cardinality is not None
    assert cardinality.expected("y", 3) is None


@pytest.mark.parametrize("record", [{}, {"texts": {"x": []}}, {"texts": {"x": [[0, 1]]}}, {"texts": {"x": [[1]]}}])
def test_a_record_that_is_none_is_refused(record: dict[str, Any]) -> None:
    with pytest.raises((ValueError, KeyError)):
        Cardinality.from_record(record)

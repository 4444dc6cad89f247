"""Keys of values: equal where the values are, and the same in every process."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.decoding.tabulate import feature_column, feature_columns
from app.quality.keys import feature_keys, number_keys, text_keys

values = st.one_of(
    st.none(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=3),
    st.booleans(),
    st.lists(st.floats(-2, 2), max_size=3),
)


def keys(column: list[Any], name: str = "x") -> list[int]:
    found: list[int] = feature_keys({name: feature_column(column)}, (name,), len(column))[0].tolist()
    return found


def comparable(value: Any) -> Any:
    return float(value) if isinstance(value, bool | float) else tuple(value) if isinstance(value, list) else value


@settings(max_examples=300, deadline=None)
@given(st.lists(values, min_size=1, max_size=10))
def test_equal_keys_are_equal_values(column: list[Any]) -> None:
    told = keys(column)
    assert [key == 0 for key in told] == [value is None for value in column]
    for a, key_a in zip(column, told, strict=True):
        for b, key_b in zip(column, told, strict=True):
            assert (key_a == key_b) == (comparable(a) == comparable(b))


@settings(max_examples=100, deadline=None)
@given(st.lists(values, min_size=1, max_size=6))
def test_a_key_does_not_depend_on_the_rows_beside(column: list[Any]) -> None:
    assert keys(column) == [keys([value])[0] for value in column]


def test_keys_are_the_same_everywhere() -> None:
    assert keys([1.0, "a", True, [0.5]]) == [
        15700623883061642977,
        17305611080883938975,
        15700623883061642977,
        10586164743548335425,
    ]
    assert text_keys(["a", None]).tolist() == [4498482473222901952, 0]
    assert number_keys(np.array([1.0, np.nan])).tolist() == [9860564707913756141, 0]


def test_features_have_keys_of_their_own() -> None:
    columns = feature_columns([{"a": 1.0, "b": 1.0}], 10)
    assert len(set(feature_keys(columns, ("a", "b"), 1)[:, 0].tolist())) == 2
    assert feature_keys(columns, (), 1).shape == (0, 1)

"""Consistency rules: what they mean, row by row, and what is no rule."""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.decoding.tabulate import feature_columns
from app.quality.expressions import LONGEST, RuleMistake, parse

Row = dict[str, Any]
# A rule as text, and what it says of one row: None where that can't be told.
Said = tuple[str, Callable[[Row], bool | None]]
COMPARISONS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}

ROWS: list[Row] = [
    {"income": 10.0, "country": "DE", "start": "2026-01-01", "end": "2026-01-02", "flag": True, "net": 2.0, "tax": 1.0},
    {"income": -1.0, "country": "US", "start": "2026-01-03", "end": "2026-01-02", "flag": False, "net": 2.0},
    {"income": None, "country": 7.0, "start": "2026-01-03", "flag": None, "net": 0.0, "tax": 0.0},
]


def told(rule: str, rows: list[Row]) -> list[bool | None]:
    known, broken = parse(rule).over(feature_columns(rows, 1000), len(rows))
    assert not (broken & ~known).any()
    return [None if not k else not b for k, b in zip(known.tolist(), broken.tolist(), strict=True)]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("income >= 0", [True, False, None]),
        ("0 <= income < 10", [False, False, None]),
        ("end >= start", [True, False, None]),
        ('country in ["DE", "FR"]', [True, False, None]),
        ("country not in ['DE', 7]", [False, True, False]),
        ("income in [-1, +10.0]", [True, True, None]),
        ("income == null", [False, False, True]),
        ("null != income", [True, True, False]),
        ("income != null and income >= 0", [True, False, False]),
        ("income == null or income >= 0", [True, False, True]),
        ("flag", [True, False, None]),
        ("not flag", [False, True, None]),
        ("flag == true", [True, False, None]),
        ("! flag || net > 1 && country == 'DE'", [True, True, None]),
        ("net + tax * 2 == 4", [True, None, False]),
        ("-(net - tax) < -0.5", [True, None, False]),
        ("tax / net <= 1", [True, None, None]),  # 0 / 0 is no number
        ("net", [None, None, False]),  # neither true nor false
        ("nowhere > 1", [None, None, None]),
        ("nowhere == null", [True, True, True]),
        ("`net`*1e0 > .5", [True, True, False]),
        ("country == 7", [None, None, True]),
    ],
)
def test_what_a_rule_says(rule: str, expected: list[bool | None]) -> None:
    assert told(rule, ROWS) == expected


def _not(a: bool | None) -> bool | None:
    return None if a is None else not a


def _and(a: bool | None, b: bool | None) -> bool | None:
    return False if a is False or b is False else None if a is None or b is None else True


def _compared(a: Any, sign: str, b: Any) -> bool | None:
    numbers = all(isinstance(v, float | bool) for v in (a, b))
    if not numbers and not all(isinstance(v, str) for v in (a, b)):
        return None
    return bool(COMPARISONS[sign](a, b))


names = st.sampled_from(["x", "y z", "über.all"])
contents = st.one_of(st.integers(-2, 2).map(float), st.sampled_from(["a", "b", ""]), st.booleans())


def _quoted(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else repr(value)


values = st.one_of(
    names.map(lambda name: (f"`{name}`", lambda row: row.get(name))),
    contents.map(lambda value: (_quoted(value), lambda row: value)),
)
leaves: st.SearchStrategy[Said] = st.one_of(
    st.tuples(values, st.sampled_from(sorted(COMPARISONS)), values).map(
        lambda p: (f"{p[0][0]} {p[1]} {p[2][0]}", lambda row: _compared(p[0][1](row), p[1], p[2][1](row)))
    ),
    names.map(lambda name: (f"`{name}` == null", lambda row: row.get(name) is None)),
)
conditions: st.SearchStrategy[Said] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        inner.map(lambda c: (f"not ({c[0]})", lambda row: _not(c[1](row)))),
        st.tuples(inner, inner).map(
            lambda p: (f"({p[0][0]}) and ({p[1][0]})", lambda row: _and(p[0][1](row), p[1][1](row)))
        ),
        st.tuples(inner, inner).map(
            lambda p: (f"({p[0][0]}) or ({p[1][0]})", lambda row: _not(_and(_not(p[0][1](row)), _not(p[1][1](row)))))
        ),
    ),
    max_leaves=8,
)
rows_of = st.lists(st.dictionaries(names, st.one_of(st.none(), contents)), min_size=1, max_size=8)


@settings(max_examples=300, deadline=None)
@given(conditions, rows_of)
def test_all_rows_at_once_say_what_each_says_alone(said: Said, rows: list[Row]) -> None:
    rule, alone = said
    assume("`" in rule)  # one that names no feature is none
    assert told(rule, rows) == [alone(row) for row in rows]


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("income >=", "ends too soon"),
        ("", "ends too soon"),
        ("income ?? 3", "can't be read from '?' on (character 8)"),
        ("income amount", "can't be read from amount on (character 8)"),
        ("income = 3", "can't be read from '=' on (character 8)"),
        ("__import__('os').system('true')", "can't be read from ( on (character 11)"),
        ("x in []", "can't be read from ] on"),
        ("1 < 2", "names no feature"),
        ("income + 1", "should be a condition"),
        ("flag and net + 1", "should be a condition"),
        ("(a > 1) == b", "not with a value"),
        ("x < null", "only be compared with a feature by == or !="),
        ("null", "only be compared with a feature by == or !="),
        ("'a' + x > 1", "calculates with 'a'"),
        ("x > 1 and " * 200 + "x > 1", f"is longer than {LONGEST} characters"),
        ("(" * 200 + "x > 1" + ")" * 200, "more than 100 signs"),
        ("x" + "+x" * 300 + " > 1", "more than 100 signs"),
        ("not " * 101 + "x", "more than 100 signs"),
    ],
)
def test_what_is_no_rule_says_why(rule: str, why: str) -> None:
    with pytest.raises(RuleMistake) as caught:
        parse(rule)
    assert why in str(caught.value)


def test_the_deepest_rules_can_be_worked_out() -> None:
    for rule in ("(" * 100 + "x > 1" + ")" * 100, "x" + "+x" * 100 + " > 1", "not " * 100 + "flag"):
        assert len(told(rule, ROWS)) == 3


def test_a_rule_knows_its_features() -> None:
    assert parse("a.b + `c d` > 1 or not e and f in [1] and g == null").features == {"a.b", "c d", "e", "f", "g"}


def test_booleans_and_numbers_without_raw_values() -> None:
    rows = [{"x": float(value)} for value in range(5)]
    assert told("x > 2", rows) == (np.arange(5) > 2).tolist()

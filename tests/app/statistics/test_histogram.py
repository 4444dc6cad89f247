import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.decoding.columns import Floats
from app.statistics.groups import Groups
from app.statistics.histogram import HIGH, LOW, Buckets, LogHistogram

BOUND = 0.01
QUANTILES = (0.0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0)


def histogram(values: Floats) -> LogHistogram:
    made = LogHistogram()
    LogHistogram.update([made], Groups(np.zeros(len(values), np.int64), 1), Buckets(values))
    return made


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng: rng.lognormal(2, 1.5, 20_000),
        lambda rng: rng.exponential(50, 20_000) + LOW,
        lambda rng: rng.pareto(1.1, 20_000) + 1,
        lambda rng: rng.uniform(0.002, 1e8, 20_000),
        lambda rng: rng.normal(100, 1, 1_000),
        lambda rng: np.concatenate([np.full(500, 3.0), np.full(500, 3000.0)]),
        lambda rng: rng.lognormal(2, 1.5, 3),
        lambda rng: np.array([12.5]),
    ],
)
def test_quantiles_are_within_one_percent_of_numpy(draw: Callable[[np.random.Generator], Floats]) -> None:
    values = draw(np.random.default_rng(1))
    made = histogram(values)
    for q in QUANTILES:
        assert made.quantile(q) == pytest.approx(np.quantile(values, q), rel=BOUND)
    assert made.mean() == pytest.approx(values.mean(), rel=1e-12)
    assert made.count == len(values)


@given(st.lists(st.floats(LOW, HIGH * (1 - 1e-9)), min_size=1, max_size=30), st.floats(0, 1))
@settings(max_examples=200, deadline=None)
def test_the_bound_holds_for_any_values(values: list[float], q: float) -> None:
    assert histogram(np.array(values)).quantile(q) == pytest.approx(np.quantile(values, q), rel=BOUND)


def test_values_outside_have_buckets_of_their_own() -> None:
    for value, told in ((0.0, 0.0), (-5.0, 0.0), (LOW / 100, LOW / 2), (2 * HIGH, HIGH), (1e300, HIGH), (np.inf, HIGH)):
        made = histogram(np.array([value, value]))
        assert made.quantile(0.5) == told
        assert json.dumps(made.state(), allow_nan=False)
    assert histogram(np.array([-5.0])).mean() == 0.0


def test_what_is_absent_is_not_counted() -> None:
    made = histogram(np.array([np.nan, 4.0, np.nan]))
    assert made.count == 1
    assert made.mean() == 4.0
    nothing = histogram(np.array([np.nan]))
    assert (nothing.quantile(0.5), nothing.mean(), nothing.count) == (None, None, 0)


def test_parts_in_any_order_are_the_whole() -> None:
    values = np.random.default_rng(2).lognormal(0, 3, 1000)
    parts = [histogram(part) for part in np.split(values, [10, 11, 500])]
    whole = histogram(values).state()
    for order in ([0, 1, 2, 3], [3, 1, 0, 2], [2, 3, 1, 0]):
        made = LogHistogram()
        for place in order:
            made.merge(LogHistogram.from_state(json.loads(json.dumps(parts[place].state()))))
        assert made.state() | {"total": 0} == whole | {"total": 0}
        assert made.total == pytest.approx(whole["total"], rel=1e-12)

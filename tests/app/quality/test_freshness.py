"""How old data was: the time in a feature, or in an entry of `segments`, in each of its forms."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.decoding.columns import PredictionColumns
from app.decoding.tabulate import feature_columns
from app.quality.freshness import ages, without
from app.timestamps import milliseconds
from tests.app.statistics import made

NOW = "2026-11-20T12:00:00Z"


def columns_of(values: list[Any]) -> PredictionColumns:
    columns = made.predictions(len(values))
    times = np.full(len(values), milliseconds(NOW))
    return replace(columns, features=feature_columns([{"as_of": v, "x": 1.0} for v in values], 10), timestamps=times)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["2026-11-20T11:59:00Z", "2026-11-20T12:00:01Z"], [60, -1]),
        (["2026-11-20T11:59:00Z", "2026-11-20T13:59:30.5+02:00"], [60, 29.5]),
        (["2026-11-20T11:59:00Z", "yesterday", "2026-11-20T11:59:00", None], [60, None, None, None]),
        ([1795175999.0, None], [1, None]),
        ([1795175990000.0, 1795175999.5], [10, 0.5]),
        (["2026-11-20T11:59:59Z", 1795175990.0, [1.0]], [1, 10, None]),
        ([None, None], [None, None]),
    ],
)
def test_the_age_of_data(values: list[Any], expected: list[float | None]) -> None:
    told = ages(columns_of(values), "as_of").tolist()
    assert [None if age != age else age for age in told] == expected


def test_an_entry_of_segments_may_say_it() -> None:
    columns = replace(columns_of([1.0, 1.0]), segments={"data_time": ["2026-11-20T11:59:00Z", None]})
    told = ages(columns, "data_time")
    assert told[0] == 60
    assert np.isnan(told[1])
    assert np.isnan(ages(columns, "nowhere")).all()


def test_the_feature_is_then_none() -> None:
    columns = columns_of([1.0])
    assert without(columns, "as_of").features.keys() == {"x"}
    assert columns.features.keys() == {"as_of", "x"}
    assert without(columns, "nowhere") is columns

"""What a reference's times say: bursts, what wanders, and the hours of the week."""

import json
from collections import Counter
from datetime import UTC, datetime

import numpy as np
import pytest

from app.drift.fitting import ReferenceData, fit
from app.drift.rhythm import MOST, Rhythm

HOUR = 3_600_000
DAY = 24 * HOUR


def reference(days: float, rows: int = 20_000, wave: float = 0.0) -> ReferenceData:
    """Two numbers of which the first goes up and down with the day, a text, and missing values that do so too."""
    rng = np.random.default_rng(1)
    times = np.sort(rng.integers(0, round(days * DAY), rows))
    day = np.sin(2 * np.pi * times / DAY)
    moving = rng.normal(wave * day, 1)
    moving[rng.random(rows) < 0.1 * (1 + wave * day)] = np.nan
    features = {
        "moving": [None if value != value else value for value in moving.tolist()],
        "still": rng.normal(0, 1, rows).tolist(),
        "region": rng.choice(["north", "south"], rows).tolist(),
    }
    return ReferenceData(features, predictions=["yes"] * rows, timestamps=times.tolist())


def rhythm(data: ReferenceData) -> Rhythm | None:
    return fit("credit", "1", data, created_at=0, origin="file").rhythm


def test_what_does_not_wander() -> None:
    found = rhythm(reference(7))
    assert found is not None
    assert found.windows == 400 <= MOST
    assert set(found.wander) == set(found.missing) == {"moving", "still", "region"}
    assert max(*found.wander.values(), *found.missing.values()) < 0.01
    assert max(found.design_effect.values()) < 1.2


def test_a_course_of_the_day_wanders() -> None:
    """A normal number that moves by up to half its deviation has up to 20 % of its rows elsewhere."""
    found = rhythm(reference(7, wave=0.5))
    assert found is not None
    assert 0.08 < found.wander["moving"] < 0.2
    assert found.wander["still"] < 0.01
    assert 0.02 < found.missing["moving"] < 0.06, "0.05 times a sine has a deviation of 0.035"


def test_hours_of_the_week() -> None:
    data = reference(15)
    found = rhythm(data)
    assert found is not None
    times = [datetime.fromtimestamp(time / 1000, UTC) for time in data.timestamps or ()]
    tally = Counter(time.weekday() * 24 + time.hour for time in times)
    assert found.hours == tuple(tally[hour] for hour in range(168))
    short = rhythm(reference(13))
    assert short is not None
    assert short.hours is None


def test_quiet_hours_are_those_without_rows_where_there_are_enough() -> None:
    data = reference(15)
    times = np.array(data.timestamps)
    asked = (times // HOUR % 24 >= 6).tolist()
    rows = [row for row, kept in enumerate(asked) if kept]
    features = {name: [values[row] for row in rows] for name, values in data.features.items()}
    office = rhythm(ReferenceData(features, predictions=["yes"] * len(rows), timestamps=times[rows].tolist()))
    assert office is not None
    assert office.quiet_hours == {day * 24 + hour for day in range(7) for hour in range(6)}
    few = rhythm(reference(15, 1650))
    assert few is not None
    assert few.hours is not None
    assert few.quiet_hours == set(), "by accident"


@pytest.mark.parametrize("rows", [20, 1500])
def test_too_few_rows(rows: int) -> None:
    assert rhythm(reference(7, rows)) is None


def test_without_times() -> None:
    assert rhythm(ReferenceData({"x": [1.0, 2.0] * 5000})) is None


def test_a_round_trip() -> None:
    found = rhythm(reference(15, wave=0.3))
    assert found is not None
    assert Rhythm.from_record(json.loads(json.dumps(found.record()))) == found
    with pytest.raises(ValueError, match="168"):
        Rhythm.from_record(found.record() | {"hours": [1, 2]})

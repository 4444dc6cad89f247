"""What carries a change: features by what they moved, segments by what they did; noise carries nothing."""

import numpy as np
import pytest

from app.estimates.impact import Part, ranked, segment_parts
from app.estimates.reference import MOST_VALUES
from app.estimates.usual import Mean, Usual, share_of
from app.segments import EVERYTHING, Segment
from app.statistics.totals import Totals

NORTH: Segment = (("region", "north"),)
SOUTH: Segment = (("region", "south"),)
EAST: Segment = (("region", "east"),)
WEB: Segment = (("channel", "web"),)


def means(north: tuple[float, float], south: tuple[float, float]) -> dict[Segment, Mean]:
    """Rows and share of wrong answers in two regions, and of all."""
    own = {NORTH: share_of(*north), SOUTH: share_of(*south)}
    rows = north[0] + south[0]
    return {EVERYTHING: share_of(rows, (north[0] * north[1] + south[0] * south[1]) / rows)} | own


@pytest.mark.parametrize("seed", range(5))
def test_the_parts_of_a_column_add_up_to_the_change(seed: int) -> None:
    rng = np.random.default_rng(seed)
    now, usual = (
        means(*[(float(rng.integers(100, 900)), float(rng.uniform(0.05, 0.5))) for _ in range(2)]) for _ in range(2)
    )
    parts = list(segment_parts(now, usual))
    assert sum(part.change for part in parts) == pytest.approx(now[EVERYTHING].loss - usual[EVERYTHING].loss)


def test_the_segment_that_got_worse_carries_it() -> None:
    now, usual = means((1000, 0.3), (1000, 0.1)), means((5000, 0.1), (5000, 0.1))
    (told,) = ranked(segment_parts(now, usual), 0.1, -1.0, "segment")
    assert told["segment"] == {"region": "north"}
    assert told["change"] == pytest.approx(-0.1)
    assert told["share"] == 1


def test_a_segment_that_is_new_or_gone_is_part_of_it() -> None:
    usual = means((5000, 0.1), (5000, 0.1))
    now = {EVERYTHING: share_of(1000, 0.4), EAST: share_of(1000, 0.4), WEB: share_of(1000, 0.4)}
    parts = {str(part.subject): part for part in segment_parts(now, usual)}
    assert parts["{'region': 'east'}"].change == pytest.approx(0.3)
    assert parts["{'region': 'north'}"].change == pytest.approx(0)
    # Of a column of which nothing is usual nothing can be said.
    assert "{'channel': 'web'}" not in parts


def test_noise_carries_nothing() -> None:
    """Of 400 windows without a change, with two segments each."""
    rng = np.random.default_rng(0)
    named = 0
    for _ in range(400):
        wrong = rng.binomial(500, 0.2, 2) / 500
        usual = means((1000, 0.2), (1000, 0.2))
        named += len(ranked(segment_parts(means((500, wrong[0]), (500, wrong[1])), usual), 0.0, -1.0, "segment"))
    assert named <= 4


def test_what_works_against_the_change_comes_last_with_a_negative_share() -> None:
    parts = [
        Part("region", {"region": "north"}, 0.03, 0.001),
        Part("region", {"region": "south"}, -0.01, 0.001),
        Part("channel", {"channel": "web"}, 0.02, 0.001),
        Part("channel", {"channel": "app"}, 0.02, 0.1),
    ]
    told = ranked(parts, 0.04, -1.0, "segment")
    assert [(next(iter(own["segment"].values())), own["change"]) for own in told] == [
        ("north", -0.03),
        ("web", -0.02),
        ("south", 0.01),
    ]
    assert [own["share"] for own in told] == pytest.approx([1, 1, -1 / 3])


def test_means_of_parts_are_those_of_the_whole() -> None:
    values = np.random.default_rng(1).exponential(size=300)
    parts = [Mean(len(own), float(own.mean()), float(own.var())) for own in (values[:100], values[100:])]
    whole = parts[0].plus(parts[1])
    assert (whole.rows, whole.loss) == (300, pytest.approx(values.mean()))


def test_a_column_of_many_values_is_not_followed() -> None:
    usual = Usual()
    users: list[Segment] = [(("user", str(place)),) for place in range(MOST_VALUES + 1)]
    for segment in users:
        mean = share_of(10, 0.1)
        usual.learn([(EVERYTHING, Totals(), mean), (NORTH, Totals(), mean), (segment, Totals(), mean)])
    assert usual.means.keys() == {EVERYTHING, NORTH}
    assert usual.means[NORTH].rows == 10 * len(users)
    assert Usual(usual.state()).crowded == {"user"}


def test_usual_round_trip() -> None:
    usual = Usual()
    usual.means = means((10, 0.1), (20, 0.2))
    usual.complete = True
    again = Usual(usual.state())
    assert (again.means, again.complete) == (usual.means, True)

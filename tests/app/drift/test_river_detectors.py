"""river's detectors over windows: when they see a rise, and that they go on from their state."""

import json

import numpy as np
import pytest

from app.drift.river_detectors import RUN_LENGTHS, RiverDetector


def windows(seed: int, *stretches: tuple[int, float]) -> list[tuple[float, float]]:
    rng = np.random.default_rng(seed)
    return [(float(rng.binomial(100, share)), 100.0) for count, share in stretches for _ in range(count)]


@pytest.mark.parametrize("kind", RUN_LENGTHS)
def test_a_rise_is_seen(kind: str) -> None:
    detector = RiverDetector(kind)
    found = [place for place, own in enumerate(windows(1, (60, 0.1), (60, 0.4))) if detector.update(*own)]
    assert [place for place in found if place >= 60]


@pytest.mark.parametrize("kind", RUN_LENGTHS)
def test_it_goes_on_from_its_state(kind: str) -> None:
    one, other = RiverDetector(kind), RiverDetector(kind)
    for own in windows(2, (40, 0.1), (40, 0.3)):
        other = RiverDetector(kind, json.loads(json.dumps(other.state())))
        assert one.update(*own) == other.update(*own)
    assert one.state() == other.state()


@pytest.mark.parametrize("before", [{"kind": "ddm", "river": "0.0.0"}, {"kind": "adwin", "river": "0.26.1"}])
def test_a_state_of_another_kind_or_river_starts_anew(before: dict[str, str]) -> None:
    assert RiverDetector("ddm", before).state() == RiverDetector("ddm").state()


@pytest.mark.parametrize("kind", ["page_hinkley"])
def test_the_run_length_that_is_told(kind: str) -> None:
    """Outcome by outcome. With some 10 alarms expected, between half and twice as many come as a rule."""
    rng, alarms, outcomes = np.random.default_rng(3), 0, 0
    for _ in range(12):
        detector = RiverDetector(kind)
        for _ in range(60_000):
            outcomes += 1
            if detector.update(float(rng.random() < 0.1), 1.0):
                alarms += 1
                break
    told = float(RUN_LENGTHS[kind].replace(",", ""))
    assert outcomes / told / 2 <= alarms <= 2 * outcomes / told


def test_a_window_without_rows() -> None:
    assert not RiverDetector("ddm").update(0.0, 0.0)

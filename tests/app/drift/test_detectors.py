import json

import numpy as np
import pytest

from app.decoding.columns import Floats
from app.drift.detectors import BATCH_LABELS, Adwin, ErrorRateDetector


def rates(*stretches: tuple[int, float], labels: int = 100, seed: int = 1) -> Floats:
    """Errors among `labels` a window, over stretches of (windows, error rate)."""
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.binomial(labels, rate, windows) for windows, rate in stretches])


def detections(errors: Floats, labels: int = 100) -> list[int]:
    detector, found = ErrorRateDetector(), []
    for place, missed in enumerate(errors):
        detector.update(labels, float(missed))
        if detector.drift_detected:
            found.append(place)
    return found


def test_a_rise_is_seen_where_it_is() -> None:
    assert detections(rates((100, 0.1), (60, 0.3)))[0] == 112


@pytest.mark.parametrize("seed", range(10))
def test_no_change_no_detection(seed: int) -> None:
    assert detections(rates((400, 0.1), seed=seed)) == []


def test_a_fall_is_no_harm() -> None:
    errors = rates((100, 0.3), (100, 0.05))
    assert detections(errors) == []
    adwin, fell = Adwin(), []
    for missed in errors:
        adwin.update(float(missed) / 10)
        fell.append(adwin.drift_detected and not adwin.increased)
    assert any(fell)


def test_small_windows_are_put_together() -> None:
    small, large = ErrorRateDetector(), ErrorRateDetector()
    for missed in rates((30, 0.2), labels=BATCH_LABELS):
        for part in range(5):
            small.update(BATCH_LABELS // 5, float(missed) if part == 4 else 0.0)
        large.update(BATCH_LABELS, float(missed))
    assert small.state() == large.state()
    small.update(BATCH_LABELS - 1, 3.0)
    assert small.state()["labels"] == BATCH_LABELS - 1


def test_it_goes_on_from_its_state() -> None:
    errors = rates((80, 0.1), (80, 0.3), (80, 0.6), labels=30)
    one, other = ErrorRateDetector(), ErrorRateDetector()
    seen = []
    for missed in errors:
        one.update(30, float(missed))
        other = ErrorRateDetector.from_state(json.loads(json.dumps(other.state())))
        other.update(30, float(missed))
        assert other.drift_detected == one.drift_detected
        seen.append(one.drift_detected)
    assert other.state() == one.state()
    assert any(seen)


def test_a_state_of_another_river_starts_anew() -> None:
    detector = Adwin(0.01)
    detector.update(0.5)
    state = detector.state() | {"river": "0.0.0", "adwin": "AAAA"}
    assert Adwin.from_state(state).state() == Adwin(0.01).state()

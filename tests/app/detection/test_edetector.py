"""Evidence over time: how long it takes until a false alarm."""

import numpy as np
import pytest

from app.detection.betting import log_bets
from app.detection.edetector import FRESH, advance, log_mean, told


def test_it_is_shiryaev_and_roberts_sum() -> None:
    log_e = np.log(np.array([0.5, 2.0, 3.0]))
    log_m = np.array([FRESH])
    for one in log_e:
        log_m = advance(log_m, np.array([one]))
    e = np.exp(log_e)
    assert np.exp(log_m[0]) == pytest.approx(e[0] * e[1] * e[2] + e[1] * e[2] + e[2], rel=1e-3)


def test_the_mean_time_to_a_false_alarm_is_at_least_the_threshold() -> None:
    """400 streams with nothing in them, each until its alarm: the mean over them, with three standard errors."""
    rng = np.random.default_rng(1)
    threshold, streams = 200.0, 400
    log_m = np.full((streams, 5), FRESH)
    alarm = np.zeros(streams)
    for window in range(1, 20_000):
        k = rng.binomial(30, 0.1, streams).astype(float)
        log_m = advance(log_m, log_bets(k, np.full(streams, 30.0), np.full(streams, 0.1)))
        passed = (log_mean(log_m) >= np.log(threshold)) & (alarm == 0)
        alarm[passed] = window
        if alarm.all():
            break
    assert alarm.all()
    assert alarm.mean() + 3 * alarm.std() / np.sqrt(streams) >= threshold
    assert alarm.mean() < 20 * threshold, "nor is it much longer: that would be paid for with delay"


def test_the_floor() -> None:
    assert advance(np.array([FRESH]), np.array([-1e6]))[0] == FRESH


def test_log_mean() -> None:
    values = np.log(np.array([[1.0, 3.0], [1e-300, 1e-300]]))
    assert log_mean(values) == pytest.approx(np.log([2.0, 1e-300]))
    assert log_mean(values, np.array([[0.75, 0.25], [0.5, 0.5]])) == pytest.approx(np.log([1.5, 1e-300]))


def test_who_is_named() -> None:
    log_a = np.log(100.0)
    assert told(np.log([1.0, 500.0, 1.0, 1.0]), log_a) == [1], "a strong one pays for four"
    assert told(np.log([201.0, 500.0, 1.0, 250.0]), log_a) == [1, 3, 0], "several pay less each"
    assert told(np.log([110.0, 99.0, 105.0, 101.0]), log_a) == [0], "at least the strongest"

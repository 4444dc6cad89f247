"""Drift does harm where trusted estimates fall: told without a label, and with what carries it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.alerts.harm import harmful
from app.alerts.judge import Judge
from app.alerts.rules import Reading
from app.settings import ModelSettings
from tests.app.judging import a_reading, in_bins


def estimated(value: float, usual: float, half: float = 0.01, *, trusted: bool = True) -> Reading:
    reading = a_reading(labels=0, estimated_accuracy=value, estimated_accuracy_high=value + half)
    return replace(reading, estimate_trusted=trusted, impact={"metric": "accuracy", "estimated": value - usual})


def expected(value: float, usual: float, half: float = 0.1) -> Reading:
    reading = a_reading(labels=0, estimated_mae=value, estimated_mae_low=value - half)
    return replace(reading, estimate_trusted=True, impact={"metric": "mae", "estimated": value - usual})


@pytest.mark.parametrize(
    ("reading", "fresh", "already"),
    [
        (estimated(0.85, 0.9), True, True),
        # Less than two points, or so uncertain that it may be less.
        (estimated(0.885, 0.9), False, False),
        (estimated(0.875, 0.9), False, True),
        (estimated(0.85, 0.9, 0.05), False, True),
        # Labels have shown that the estimate can't be relied on.
        (estimated(0.6, 0.9, trusted=False), False, False),
        (estimated(0.95, 0.9), False, False),
        (expected(6.0, 5.0), True, True),
        (expected(5.55, 5.0), False, True),
        (expected(5.2, 5.0), False, False),
        (a_reading(0, labels=100, accuracy=0.2), False, False),
    ],
)
def test_what_is_harm(reading: Reading, fresh: bool, already: bool) -> None:
    assert (harmful(reading, already=False), harmful(reading, already=True)) == (fresh, already)


@pytest.mark.parametrize(
    ("value", "trusted", "severity"), [(0.8, True, "warning"), (0.8, False, "info"), (0.9, True, "info")]
)
def test_drift_that_does_harm_is_worth_a_warning(value: float, trusted: bool, severity: str) -> None:
    judge = Judge("credit", ModelSettings())
    told = list(drifting(judge, value, trusted))
    assert told
    assert {(alert["rule"], alert["severity"]) for alert in told} == {("drift", severity)}
    assert told[0]["evidence"]["impact"]["features"] == [{"feature": "income", "change": value - 0.9, "share": 1.0}]


def drifting(judge: Judge, value: float, trusted: bool) -> list[dict[str, Any]]:
    """Thirty windows as in the baseline, then ten in which `income` has moved and the estimate is `value`."""
    rng = np.random.default_rng(1)
    told = []
    for number in range(40):
        moved = number >= 30
        shares = [0.1, 0.1, 0.1, 0.7] if moved else [0.25] * 4
        own = value if moved else 0.9
        reading = a_reading(
            number,
            labels=0,
            estimated_accuracy=own,
            estimated_accuracy_high=own + 0.01,
            counted=in_bins(
                income=rng.multinomial(1000, shares).tolist(), age=rng.multinomial(1000, [0.25] * 4).tolist()
            ),
        )
        features = [{"feature": "income", "change": own - 0.9, "share": 1.0}] if moved else []
        impact = {"metric": "accuracy", "estimated": own - 0.9, "features": features}
        told += judge.windows([replace(reading, estimate_trusted=trusted, impact=impact)])
    return told

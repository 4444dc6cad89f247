"""The budget is shared out completely, and not more than that."""

from math import exp, log

import pytest

from app.detection.budget import INFORMATION, LEAST, WARNINGS, WHOLE_ONLY, Budget, share_of


def test_the_shares_make_one() -> None:
    assert sum(WARNINGS.values()) == pytest.approx(1)
    assert sum(INFORMATION.values()) == pytest.approx(1)


@pytest.mark.parametrize(("segments", "versions"), [(0, 1), (10, 1), (3, 2)])
def test_the_rates_of_all_alarms_add_up_to_the_budget(segments: int, versions: int) -> None:
    budget = Budget(alerts=2, days=30, window_ms=60_000)
    windows = 30 * 24 * 60
    rates = 0.0
    for rule in WARNINGS:
        for whole, times in ((True, 1), (False, segments)):
            if times and (whole or rule not in WHOLE_ONLY):
                share = share_of(rule, segments=segments, whole=whole, versions=versions)
                rates += versions * times / exp(budget.log_threshold(share))
    assert rates * windows == pytest.approx(2)


def test_a_larger_budget_needs_less_evidence() -> None:
    assert Budget(alerts=10).log_threshold(1) == pytest.approx(Budget().log_threshold(1) - log(10))
    assert Budget(alerts=1e9).log_threshold(1) == LEAST

import numpy as np
import pytest

from app.training.regime import regime_start


def errors(rng: np.random.Generator, *stretches: tuple[int, float]) -> np.ndarray:
    return np.concatenate([(rng.random(rows) < share).astype(float) for rows, share in stretches])


@pytest.mark.parametrize("seed", range(5))
def test_the_change_is_found_near_where_it_was(seed: int) -> None:
    start = regime_start(errors(np.random.default_rng(seed), (6000, 0.08), (1500, 0.28)), least=100)
    assert abs(start - 6000) < 60


def test_the_last_of_several_changes_for_the_worse_counts() -> None:
    start = regime_start(errors(np.random.default_rng(1), (3000, 0.05), (2000, 0.3), (2000, 0.05), (1000, 0.35)), 100)
    assert abs(start - 7000) < 60


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5])
def test_noise_is_no_change(share: float) -> None:
    rng = np.random.default_rng(2)
    assert [regime_start(errors(rng, (2000, share)), 100) for _ in range(100)] == [0] * 100


def test_a_change_for_the_better_is_none() -> None:
    assert regime_start(errors(np.random.default_rng(3), (3000, 0.3), (3000, 0.05)), 100) == 0


def test_unknown_losses_are_passed_over() -> None:
    losses = errors(np.random.default_rng(4), (3000, 0.05), (1000, 0.4))
    spread = np.full(2 * len(losses), np.nan)
    spread[::2] = losses
    assert regime_start(spread, 100) == 2 * regime_start(losses, 100) > 0


def test_too_few_rows_on_a_side_are_no_change() -> None:
    assert regime_start(np.array([0.0] * 150 + [1.0] * 40), 100) == 0
    assert regime_start(np.array([]), 100) == 0

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn import metrics as sk

from app.decoding.columns import Probabilities
from app.training.comparison import compare, measure, sign_test


def labels_and_guesses(rng: np.random.Generator, right: float, n: int = 400) -> tuple[list[str], list[str]]:
    labels = rng.choice(["a", "b", "c"], n).tolist()
    return labels, [label if keep else "a" for label, keep in zip(labels, rng.random(n) < right, strict=True)]


@pytest.mark.parametrize(("wins", "losses"), [(0, 0), (5, 5), (12, 3), (3, 12), (400, 330)])
def test_the_sign_test_is_the_exact_binomial_one(wins: int, losses: int) -> None:
    expected = binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
    assert sign_test(wins, losses) == pytest.approx(expected, rel=1e-9)


def test_metrics_of_classes_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    labels, guesses = labels_and_guesses(rng, 0.8)
    matrix = rng.dirichlet(np.ones(3), len(labels))
    found = measure("classification", guesses, labels, Probabilities(("a", "b", "c"), matrix))
    assert found == pytest.approx(
        {
            "accuracy": sk.accuracy_score(labels, guesses),
            "balanced_accuracy": sk.balanced_accuracy_score(labels, guesses),
            "log_loss": sk.log_loss(labels, matrix),
        }
    )


def test_metrics_of_numbers_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    labels = rng.normal(size=300)
    guesses = labels + rng.normal(scale=0.3, size=300)
    assert measure("regression", guesses, labels, None) == pytest.approx(
        {
            "rmse": sk.root_mean_squared_error(labels, guesses),
            "mae": sk.mean_absolute_error(labels, guesses),
            "r2": sk.r2_score(labels, guesses),
        }
    )


def test_r2_of_a_constant_is_absent() -> None:
    assert set(measure("regression", np.array([1.0, 2.0]), np.array([1.0, 1.0]), None)) == {"rmse", "mae"}


def test_a_better_model_is_accepted_and_the_figures_are_said() -> None:
    labels, current = labels_and_guesses(np.random.default_rng(2), 0.6)
    verdict = compare("classification", "3", current, labels, labels, None)
    assert verdict.accepted
    assert verdict.decision.startswith("accuracy 1 against 0.")
    assert verdict.decision.endswith("of version 3 on 400 held-out rows (McNemar p < 0.001): accepted")
    assert verdict.compared_with["version"] == "3"


@pytest.mark.parametrize(("wrong", "accepted"), [(0, True), (2, True), (3, False)])
def test_no_worse_is_within_half_a_percent(wrong: int, accepted: bool) -> None:
    labels = ["a", "b"] * 200
    new = ["c"] * wrong + labels[wrong:]
    assert compare("classification", "1", labels, new, labels, None).accepted is accepted


@pytest.mark.parametrize(("scale", "accepted"), [(0.9, True), (1.009, True), (1.02, False)])
def test_numbers_are_compared_by_their_rmse(scale: float, accepted: bool) -> None:
    labels, errors = np.zeros(100), np.random.default_rng(3).normal(size=100)
    verdict = compare("regression", "1", errors, errors * scale, labels, None)
    assert verdict.accepted is accepted
    assert "sign test" in verdict.decision

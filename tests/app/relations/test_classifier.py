"""The classifier two-sample test: silent while nothing changes, and not blind where margins are."""

import numpy as np
import pytest
from scipy.stats import kstest, mannwhitneyu
from sklearn.metrics import roc_auc_score

from app.decoding.columns import Floats
from app.relations import classifier
from app.relations.classifier import separation


def normal(rng: np.random.Generator, rows: int, features: int, correlation: float = 0.0) -> Floats:
    matrix = rng.normal(size=(rows, features))
    matrix[:, 1] = correlation * matrix[:, 0] + np.sqrt(1 - correlation**2) * matrix[:, 1]
    return matrix


def test_the_area_and_its_variance_are_those_of_mann_and_whitney() -> None:
    rng = np.random.default_rng(1)
    for _ in range(5):
        reference, window = np.round(rng.normal(size=130), 1), np.round(rng.normal(0.2, 1, size=90), 1)
        area, variance = classifier._area(reference, window)
        truth = np.repeat([0, 1], [130, 90])
        assert area == pytest.approx(roc_auc_score(truth, np.concatenate([reference, window])))
        z = (area - 0.5) / np.sqrt(variance)
        expected = mannwhitneyu(window, reference, use_continuity=False, alternative="greater", method="asymptotic")
        assert 1 - classifier.ndtr(z) == pytest.approx(expected.pvalue)


@pytest.mark.parametrize("features", [2, 10])
def test_without_a_change_p_values_are_not_too_small(features: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also against equality: it is not the tolerance that makes it hold. In 300 pairs 9 % may be 5 % by chance."""
    monkeypatch.setattr(classifier, "TOLERANCE", 0.0)
    rng = np.random.default_rng(2)
    p_values = [
        found.p_value
        for _ in range(300)
        if (found := separation(normal(rng, 400, features), normal(rng, 250, features))) is not None
    ]
    assert np.mean(np.array(p_values) < 0.05) < 0.09
    assert np.mean(np.array(p_values) < 0.01) < 0.03


def test_one_reference_for_all_windows_is_within_the_tolerance() -> None:
    """What is odd about the reference's own sample meets every window, and must not add up to an alarm."""
    rng = np.random.default_rng(3)
    for _ in range(4):
        reference = normal(rng, 1000, 10)
        found = [separation(reference, normal(rng, 500, 10)) for _ in range(40)]
        assert np.mean([one.p_value < 0.05 for one in found if one is not None]) < 0.05


@pytest.mark.parametrize("features", [2, 10, 50])
def test_a_changed_correlation_is_found_with_equal_margins(features: int) -> None:
    rng = np.random.default_rng(4)
    reference, window = normal(rng, 1000, features), normal(rng, 500, features, 0.8)
    for place in range(features):
        assert kstest(reference[:, place], window[:, place]).pvalue > 0.001
    found = separation(reference, window)
    assert found is not None
    assert found.auc > 0.58
    assert found.p_value < 0.01


def test_scores_fall_evenly_between_tenths_of_the_references_until_something_changes() -> None:
    rng = np.random.default_rng(6)
    reference = normal(rng, 1000, 10)
    same = [separation(reference, normal(rng, 500, 10)) for _ in range(40)]
    counts = np.sum([one.window for one in same if one is not None], axis=0)
    assert counts.sum() == 40 * 500
    assert counts / counts.sum() == pytest.approx(np.full(10, 0.1), abs=0.02)
    changed = separation(reference, normal(rng, 500, 10, 0.8))
    assert changed is not None
    assert changed.reference.tolist() == [100] * 10
    assert changed.window[8:].sum() > 150


def test_little_or_nothing_to_tell_apart() -> None:
    rng = np.random.default_rng(5)
    assert separation(normal(rng, 99, 3), normal(rng, 500, 3)) is None
    assert separation(normal(rng, 500, 3), normal(rng, 99, 3)) is None
    assert separation(np.zeros((500, 0)), np.zeros((500, 0))) is None
    same = separation(np.ones((500, 2)), np.ones((500, 2)))
    assert same is not None
    assert (same.auc, same.p_value) == (0.5, 0.5)

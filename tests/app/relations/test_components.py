"""Components and reconstruction errors are scikit-learn's, and the same however rows are cut."""

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from app.decoding.columns import Floats
from app.relations.components import Components, fit_components, held_out_errors, usable


def related(rows: int, seed: int = 0, features: int = 6) -> Floats:
    """(F, n) numbers of different sizes that hang together."""
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(features, features)) @ rng.normal(size=(features, rows))) * 10.0 ** np.arange(
        features
    ).reshape(-1, 1) + 7


def fitted(matrix: Floats) -> Components:
    components = fit_components(matrix)
    assert components is not None
    return components


@pytest.mark.parametrize("seed", range(5))
def test_errors_are_those_of_scikit_learn(seed: int) -> None:
    matrix, later = related(500, seed), related(80, seed + 100)
    components = fitted(matrix)
    scaler = StandardScaler().fit(matrix.T)
    pca = PCA(n_components=components.kept).fit(scaler.transform(matrix.T))
    standard = scaler.transform(later.T)
    expected = np.linalg.norm(standard - pca.inverse_transform(pca.transform(standard)), axis=1)
    assert components.errors(later) == pytest.approx(expected, rel=1e-4, abs=1e-4)
    assert components.explained == pytest.approx(pca.explained_variance_ratio_.sum(), abs=1e-6)
    assert PCA(n_components=0.65).fit(scaler.transform(matrix.T)).n_components_ == components.kept


def test_what_is_missing_counts_as_the_mean() -> None:
    matrix = related(300)
    components = fitted(matrix)
    holes = matrix[:, :20].copy()
    holes[2, ::2] = np.nan
    filled = np.where(np.isnan(holes), np.array(components.mean)[:, None], holes)
    assert components.errors(holes).tolist() == components.errors(filled).tolist()


@given(st.integers(0, 20), st.lists(st.integers(0, 64), max_size=5))
@settings(deadline=None, max_examples=30)
def test_errors_do_not_depend_on_the_rows_beside(seed: int, inner: list[int]) -> None:
    matrix = related(64, seed, 40)
    components = fitted(related(400, seed + 1, 40))
    edges = [0, *sorted(inner), 64]
    cut = [components.errors(np.ascontiguousarray(matrix[:, start:stop])) for start, stop in pairwise(edges)]
    assert np.concatenate(cut).tolist() == components.errors(matrix).tolist()


def test_extreme_values_stay_finite() -> None:
    components = fitted(related(300))
    errors = components.errors(np.full((6, 2), 1e308) * [1, -1])
    assert np.isfinite(errors).all()
    assert (errors > 10).all()


def test_one_component_is_always_left_out() -> None:
    rng = np.random.default_rng(3)
    assert fitted(rng.normal(size=(2, 100))).kept == 1


def test_too_little_says_nothing() -> None:
    rng = np.random.default_rng(3)
    assert fit_components(rng.normal(size=(1, 100))) is None
    assert fit_components(rng.normal(size=(10, 40))) is None
    assert usable(np.array([[1.0, 1.0, np.nan], [1.0, 2.0, np.nan], [np.nan] * 3, [1e308, -1e308, 0.0]] * 5)) == []
    rows = np.array([[1.0] * 14, [1.0, 2.0] * 7, [np.nan] * 14, [1e308, -1e308] * 7, [1e-320, 0.0] * 7])
    assert usable(np.vstack([rows, rows, rows])) == [1, 6]


def test_held_out_errors_are_as_large_as_those_of_new_rows() -> None:
    rng = np.random.default_rng(4)
    matrix, later = rng.normal(size=(40, 300)), rng.normal(size=(40, 3000))
    components = fitted(matrix)
    own, held_out, new = (
        errors.mean()
        for errors in (
            components.errors(matrix),
            held_out_errors(matrix, components.kept),
            components.errors(later),
        )
    )
    assert own < 0.95 * new
    assert held_out == pytest.approx(new, rel=0.03)


def test_the_record_goes_round() -> None:
    components = fitted(related(200))
    again = Components.from_record(json.loads(json.dumps(components.record(), allow_nan=False)))
    assert again == components
    for damage in ({"mean": [0.0]}, {"deviation": [0.0] * 6}, {"minor": []}, {"minor": [[2.0] * 6]}):
        with pytest.raises(ValueError, match="components"):
            Components.from_record(components.record() | damage)

"""What embeddings say in numbers, against numpy row by row."""

import json

import numpy as np
import pytest

from app.relations.embeddings import MOST_NUMBERS, VectorReference, as_matrix, fit_vectors, norms


def vectors(rows: int, dimension: int = 12, seed: int = 0, shift: float = 0.0) -> list[list[float]]:
    rng = np.random.default_rng(seed)
    topics = np.random.default_rng(99).normal(0, 3, (4, dimension))
    return (topics[rng.integers(0, 4, rows)] + rng.normal(shift, 1, (rows, dimension))).tolist()  # type: ignore[no-any-return]


def test_distance_and_norm() -> None:
    rows = vectors(300)
    reference, own = fit_vectors(rows)
    matrix = np.array(rows)
    assert reference.centroid == pytest.approx(matrix.mean(axis=0), rel=1e-5)
    others = (matrix.sum(axis=0) - matrix) / 299
    assert own["distance"] == pytest.approx(np.linalg.norm(matrix - others, axis=1), rel=1e-4)
    assert own["norm"] == pytest.approx(np.linalg.norm(matrix, axis=1))
    later = np.array(vectors(50, seed=1))
    expected = np.linalg.norm(later - np.array(reference.centroid), axis=1)
    assert reference.distances(later) == pytest.approx(expected)


def test_clusters_are_where_the_rows_are() -> None:
    reference, _ = fit_vectors(vectors(400))
    matrix = np.array(vectors(200, seed=2))
    centres = np.array(reference.clusters)
    assert 2 <= len(centres) <= 8
    distances = np.linalg.norm(matrix[:, None] - centres, axis=2)
    assert reference.nearest(matrix).tolist() == distances.argmin(axis=1).tolist()
    assert distances.min(axis=1).mean() < 0.6 * np.linalg.norm(matrix - matrix.mean(axis=0), axis=1).mean()


def test_the_same_rows_give_the_same_reference() -> None:
    assert fit_vectors(vectors(400))[0] == fit_vectors(vectors(400))[0]


def test_what_is_no_such_vector_is_missing() -> None:
    matrix, present = as_matrix([[1.0, 2.0], [1.0], None, "ab", [1.0, None], ["1", 2.0], [3.0, 4], [10**400, 1.0]], 2)
    assert matrix.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert present.tolist() == [True, False, False, False, False, False, True, False]
    found = norms([[3.0, 4.0], [2.0], [], None, [None]])
    assert found[:2].tolist() == [5.0, 2.0]
    assert np.isnan(found[2:]).all()


def test_few_or_equal_or_very_long_vectors() -> None:
    alone, own = fit_vectors([[1.0, 2.0], None])
    assert (alone.centroid, alone.clusters, alone.missing) == ((1.0, 2.0), (), 1)
    assert own["distance"][0] == 0.0
    same, _ = fit_vectors([[1.0, 2.0]] * 100)
    assert same.clusters == ((1.0, 2.0),)
    long, own = fit_vectors([[1.0] * (MOST_NUMBERS + 1)])
    assert long.dimension == 0
    assert own.keys() == {"norm"}
    assert fit_vectors([None])[0] == VectorReference(1)


def test_the_record_goes_round() -> None:
    for rows in (vectors(200), [None]):
        reference, _ = fit_vectors(rows)
        assert VectorReference.from_record(json.loads(json.dumps(reference.record()))) == reference
    with pytest.raises(ValueError, match="length"):
        VectorReference.from_record({"missing": 0, "centroid": [1.0], "clusters": [[1.0, 2.0]]})

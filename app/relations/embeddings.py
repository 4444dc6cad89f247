"""Embeddings in numbers: how far from the reference's centroid, how long, and which of its clusters is the nearest."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from struct import Struct
from struct import error as StructError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import Floats, Ints, Kind

CLUSTERS = 8
# Numbers that a reference keeps of one feature's clusters: a record must stay well below 1 MB.
MOST_NUMBERS = 8_192
_ITERATIONS = 20
# Of the numbers that a reference keeps.
_DIGITS = 6


@dataclass(frozen=True)
class VectorReference:
    """Embeddings: the centroid, `dimension` numbers, and those of at most eight clusters.

    A baseline of before, or of vectors with more than 8,192 numbers, has no centroid.
    """

    missing: int
    centroid: tuple[float, ...] = ()
    clusters: tuple[tuple[float, ...], ...] = ()
    kind: Kind = Kind.VECTOR

    @property
    def dimension(self) -> int:
        return len(self.centroid)

    @cached_property
    def _arrays(self) -> tuple[Floats, Floats]:
        return np.array(self.centroid), np.array(self.clusters).reshape(-1, self.dimension)

    def distances(self, matrix: Floats) -> Floats:
        """(n,) Euclidean distance of each row of `matrix` (n, dimension) to the centroid."""
        return lengths(matrix - self._arrays[0])

    def nearest(self, matrix: Floats) -> Ints:
        """(n,) the nearest cluster of each row, from 0; of two equally near ones the first."""
        clusters = self._arrays[1]
        found: Ints = np.argmin((clusters * clusters).sum(axis=1) - 2 * (matrix @ clusters.T), axis=1)
        return found

    def record(self) -> dict[str, Any]:
        shape = {"centroid": list(self.centroid), "clusters": [list(own) for own in self.clusters]}
        return {"type": "vector", "missing": self.missing} | (shape if self.centroid else {})

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "VectorReference":
        """Raises ValueError when clusters and centroid differ in length."""
        centroid = tuple(float(value) for value in record.get("centroid", ()))
        clusters = tuple(tuple(float(value) for value in own) for own in record.get("clusters", ()))
        if any(len(own) != len(centroid) for own in clusters):
            raise ValueError("clusters and centroid must have the same length")
        return cls(int(record["missing"]), centroid, clusters)


def fit_vectors(values: Sequence[Any]) -> tuple[VectorReference, dict[str, Floats]]:
    """The reference of embeddings, and of each row `norm` and `distance`, (n,).

    Vectors of another length than most are left out. A row's distance is to the centroid of the others, as that of a
    new row is. Clusters are those of every other vector (`clustered`): how many rows lie in each is told by the rest.
    """
    missing = sum(value is None for value in values)
    sizes = Counter(len(value) for value in values if type(value) is list and value)
    dimension = min(sizes, key=lambda size: (-sizes[size], size), default=0)
    matrix, present = as_matrix(values, dimension)
    if not len(matrix) or dimension > MOST_NUMBERS:
        return VectorReference(missing), {"norm": norms(values)}
    clusters = _clusters(matrix[::2])
    reference = VectorReference(missing, _rounded(matrix.mean(axis=0)), tuple(map(_rounded, clusters)))
    others = max(len(matrix) - 1, 1)
    return reference, {
        "norm": norms(values),
        "distance": spread(reference.distances(matrix) * len(matrix) / others, present),
    }


def clustered(values: Sequence[Any], dimension: int) -> NDArray[np.bool_]:
    """(n,) the rows that clusters are made from: they lie nearer to these than new rows do."""
    used = np.zeros(len(values), np.bool_)
    used[np.flatnonzero([type(value) is list and len(value) == dimension > 0 for value in values])[::2]] = True
    return used


def as_matrix(values: Sequence[Any], dimension: int) -> tuple[Floats, NDArray[np.bool_]]:
    """(k, dimension) the vectors of this length, None of another, and (n,) which of the values they are."""
    # Packing takes a third of the time of `np.array`, and refuses what is no number.
    pack = Struct(f"<{dimension}d").pack
    packed = [_packed(pack, value) if type(value) is list and len(value) == dimension > 0 else None for value in values]
    matrix = np.frombuffer(b"".join(row for row in packed if row is not None), "<f8").reshape(-1, max(dimension, 1))
    return matrix, np.array([row is not None for row in packed], np.bool_)


def _packed(pack: Callable[..., bytes], vector: list[Any]) -> bytes | None:
    try:
        return pack(*vector)
    except (StructError, OverflowError):
        return None


def norms(values: Sequence[Any]) -> Floats:
    """(n,) Euclidean length of each vector, whatever its dimension; NaN for what is none."""
    found = np.full(len(values), np.nan)
    for dimension in {len(value) for value in values if type(value) is list}:
        matrix, present = as_matrix(values, dimension)
        found[present] = lengths(matrix)
    return found


def spread(figures: Floats, present: NDArray[np.bool_]) -> Floats:
    """(n,) the figures (k,) of the k rows that are `present`, NaN for the others."""
    found = np.full(len(present), np.nan)
    found[present] = figures
    return found


def lengths(matrix: Floats) -> Floats:
    """(n,) Euclidean length of each row."""
    with np.errstate(over="ignore"):  # beyond 1e154 a vector counts as infinitely long
        norms: Floats = np.sqrt((matrix * matrix).sum(axis=1))
    return norms


def _clusters(matrix: Floats) -> Floats:
    """(k, dimension) by k-means (Lloyd, 1982, IEEE Transactions on Information Theory 28), begun as k-means++ (Arthur
    and Vassilvitskii, 2007, SODA); 25 rows are asked for each."""
    count = min(CLUSTERS, MOST_NUMBERS // matrix.shape[1], len(matrix) // 25)
    if count < 2:
        return np.zeros((0, matrix.shape[1]))
    centres = _far_apart(matrix, count)
    for _ in range(_ITERATIONS):
        nearest = np.argmin((centres * centres).sum(axis=1) - 2 * (matrix @ centres.T), axis=1)
        own = [matrix[nearest == place] for place in range(len(centres))]
        moved = np.array(
            [rows.mean(axis=0) if len(rows) else centre for rows, centre in zip(own, centres, strict=True)]
        )
        if np.array_equal(moved, centres):
            break
        centres = moved
    return centres


def _far_apart(matrix: Floats, count: int) -> Floats:
    """At most `count` different rows, each drawn by the square of its distance to those before; the seed is fixed."""
    rng = np.random.default_rng(0)
    chosen = [matrix[0]]
    squares = ((matrix - chosen[0]) ** 2).sum(axis=1)
    while len(chosen) < count and squares.sum() > 0:
        chosen.append(matrix[rng.choice(len(matrix), p=squares / squares.sum())])
        squares = np.minimum(squares, ((matrix - chosen[-1]) ** 2).sum(axis=1))
    return np.array(chosen)


def _rounded(values: Floats) -> tuple[float, ...]:
    return tuple(float(f"{value:.{_DIGITS}g}") for value in values.tolist())

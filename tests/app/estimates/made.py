"""Chunks of classified rows with probabilities, and their cells."""

import numpy as np

from app.decoding.columns import Floats, Ints, Probabilities
from app.estimates.cells import KNOWN_KINDS, UNKNOWN_KINDS, PreparedCells, ScoreCells
from app.statistics.classes import ClassProbabilities
from app.statistics.groups import Groups


def binary(rows: int, seed: int = 0) -> tuple[Floats, Ints, Ints]:
    """Probabilities of the positive class, what was predicted, and a truth that they are right about."""
    rng = np.random.default_rng(seed)
    p = rng.beta(1.2, 1.8, rows)
    return p, (p >= 0.5).astype(np.int64), (rng.random(rows) < p).astype(np.int64)


def cells(
    matrix: Floats,
    predicted: Ints,
    truth: Ints | None = None,
    weights: Floats | None = None,
    index: Ints | None = None,
    groups: int = 1,
) -> list[ScoreCells]:
    """Counted in one chunk; `matrix`: (n, k) over the classes "0", "1", ... or (n,) of the class "1" of two."""
    matrix = np.column_stack([1 - matrix, matrix]) if matrix.ndim == 1 else matrix
    given = ClassProbabilities(Probabilities(tuple(map(str, range(matrix.shape[1]))), matrix))
    prepared = PreparedCells(given, predicted, truth, ~np.isnan(given.at(predicted)), weights)
    members = [ScoreCells(UNKNOWN_KINDS if truth is None else KNOWN_KINDS) for _ in range(groups)]
    own = np.zeros(len(predicted), np.int64) if index is None else index
    ScoreCells.update(members, Groups(own, groups), prepared)
    return members

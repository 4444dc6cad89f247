"""Class names as numbers, and their probabilities as arrays."""

from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import Floats, Ints, Probabilities

MAX_CLASSES = 200
OTHER = "(other)"


def class_codes(*columns: Sequence[str | None]) -> tuple[list[str], Ints]:
    """The distinct names over all columns, and the (total rows,) code of each row, -1 for None."""
    codes = {name: code for code, name in enumerate(dict.fromkeys(chain([None], *columns)))}
    chained = np.concatenate([np.fromiter(map(codes.__getitem__, c), np.int64, len(c)) for c in columns])
    return [name for name in codes if name is not None], chained - 1


class ClassProbabilities:
    """n rows of probabilities over k classes.

    `given`: (n,) whether the row has any. `matrix`: (n, k), 0 for a class that the row did not name.
    `mask`: (n, k) whether it did, None when every row names every class. `named`: (n,) how many classes it named.
    `columns`: class -> its column.
    """

    __slots__ = ("classes", "columns", "given", "mask", "matrix", "named")

    def __init__(self, probabilities: Probabilities) -> None:
        self.classes = probabilities.classes
        self.columns = {name: column for column, name in enumerate(self.classes)}
        self.matrix: Floats = np.clip(probabilities.matrix, 0.0, 1.0)
        absent = np.isnan(self.matrix)
        # Mostly every row names every class, and masks of a narrow matrix are slow.
        self.mask: NDArray[np.bool_] | None = None
        self.named: Ints = np.full(len(self.matrix), len(self.classes), np.int64)
        if absent.any():
            self.mask = ~absent
            self.named = self.mask.sum(axis=1)
            self.matrix = np.where(absent, 0.0, self.matrix)
        self.given: NDArray[np.bool_] = self.named > 0

    def column_of(self, names: Sequence[str], codes: Ints) -> Ints:
        """(n,) the column of each row's class, -1 where it is none of these. `codes`: (n,) into `names`, or -1."""
        places = np.array([*(self.columns.get(name, -1) for name in names), -1], np.int64)
        return places[codes]

    def at(self, columns: Ints) -> Floats:
        """(n,) each row's probability in its column, NaN where the column is -1 or the row did not name it."""
        rows = np.arange(len(columns))
        told = columns >= 0
        if self.mask is not None:
            told &= self.mask[rows, columns]
        return np.where(told, self.matrix[rows, columns], np.nan)

    def positive_columns(self, positive: str | None) -> Ints:
        """(n,) the column of the positive class in rows that name exactly two classes, -1 in all others.

        It is `positive` where the row names it, else the last one in sorted order, as in scikit-learn.
        """
        wanted = self.columns.get(positive, -1) if positive is not None else -1
        if self.mask is None:
            last = len(self.classes) - 1
            return np.full(len(self.matrix), (wanted if wanted >= 0 else last) if last == 1 else -1, np.int64)
        lasts = len(self.classes) - 1 - np.argmax(self.mask[:, ::-1], axis=1)
        chosen = np.where(self.mask[:, wanted], wanted, lasts) if wanted >= 0 else lasts
        return np.where(self.named == 2, chosen, -1)

    def scores(self, predicted: Ints) -> Floats:
        """(n,) the probability of the last class in rows that name two, else that of the class in the column that is
        `predicted`; NaN where there is none."""
        positive = self.positive_columns(None)
        return np.where(positive >= 0, self.at(positive), self.at(predicted))

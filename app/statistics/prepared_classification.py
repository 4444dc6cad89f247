"""What a chunk's pairs of classes say, in columns: worked out once, whatever they are grouped by."""

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import Floats, Ints, PairColumns
from app.estimates.cells import PreparedCells
from app.statistics.classes import ClassProbabilities, class_codes
from app.statistics.groups import distinct
from app.statistics.scores import score_bins

# Probabilities are kept this far from 0 in the logarithm, as scikit-learn did for long.
CLIP = 1e-15


class PreparedClassification:
    """What a chunk's pairs say, worked out once for all groupings.

    `cells`: the distinct (label, prediction); `cell`: (n,) the cell of each row, their number where one is missing.
    `columns`: nine (n,) what each row adds to the sums. `named`: (n,) classes that each row's probabilities name.
    `positives`: positive class -> (n,) rows whose probabilities are of two classes with this one as the positive.
    """

    __slots__ = (
        "bins",
        "cell",
        "cells",
        "columns",
        "named",
        "positive",
        "positives",
        "score_cells",
        "truths",
        "weights",
    )

    def __init__(self, pairs: PairColumns, weights: Floats, positive: str | None) -> None:
        names, codes = class_codes(pairs.labels, pairs.predicted)
        labels, predicted = codes[: pairs.size], codes[pairs.size :]
        counted = (labels >= 0) & (predicted >= 0)
        # The last cell is that of all pairs without a label or a prediction.
        nowhere = len(names) ** 2
        found, self.cell = distinct(np.where(counted, labels * len(names) + predicted, nowhere), nowhere + 1)
        used = [code for code in found.tolist() if code < nowhere]
        self.cells = [(names[code // len(names)], names[code % len(names)]) for code in used]
        self.positive = positive
        self.weights: Floats = np.where(counted, weights, 0.0)
        self.columns: list[Floats] = [self.weights, np.where(labels == predicted, self.weights, 0.0)]
        self.named: Ints | None = None
        self.positives: dict[str, Ints] = {}
        self.score_cells: PreparedCells | None = None
        if pairs.probabilities is None:
            self.columns += [np.zeros(pairs.size)] * 7
        else:
            given = ClassProbabilities(pairs.probabilities)
            self._add_probabilities(given, names, labels, predicted, counted)
            said, truth = given.column_of(names, predicted), given.column_of(names, labels)
            told = counted & ~np.isnan(given.at(said))
            self.score_cells = PreparedCells(given, said, truth, told, pairs.weights)

    def _add_probabilities(
        self,
        given: ClassProbabilities,
        names: list[str],
        labels: Ints,
        predicted: Ints,
        counted: NDArray[np.bool_],
    ) -> None:
        usable = counted & given.given
        weights = np.where(usable, self.weights, 0.0)
        truth = given.column_of(names, labels)
        of_truth = np.nan_to_num(given.at(truth), nan=0.0)
        of_predicted = given.at(given.column_of(names, predicted))
        log_losses = -np.log(np.clip(of_truth, CLIP, 1 - CLIP))
        # sum over classes of (p - y)^2 with y = 1 for the truth alone
        briers = (given.matrix**2).sum(axis=1) + 1 - 2 * of_truth
        positive = np.where(usable, given.positive_columns(self.positive), -1)
        self.truths: Ints = (positive == truth).astype(np.int64)
        of_positive = given.matrix[np.arange(len(positive)), positive]
        binary = np.where(positive >= 0, weights, 0.0)
        estimated = np.where(np.isnan(of_predicted), 0.0, weights)
        self.columns += [
            weights,
            weights * log_losses,
            weights * briers,
            binary,
            binary * (of_positive - self.truths) ** 2,
            estimated,
            estimated * np.nan_to_num(of_predicted),
        ]
        self.named = np.where(usable, given.named, 0)
        self.bins = score_bins(of_positive)
        for column in np.unique(positive).tolist():
            if column >= 0:
                self.positives[given.classes[column]] = np.flatnonzero(positive == column)

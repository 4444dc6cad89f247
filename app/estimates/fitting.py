"""Labelled rows -> the baseline's section `performance`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import FeatureColumn, Floats, Ints, Probabilities
from app.decoding.tabulate import feature_column
from app.drift.binning import Binning
from app.drift.references import Reference
from app.estimates.boosting import fit_trees
from app.estimates.calibration import FOLDS
from app.estimates.cells import KNOWN_KINDS, PreparedCells, ScoreCells
from app.estimates.outcomes import Outcomes
from app.estimates.reference import MOST_VALUES, PerformanceReference
from app.estimates.trees import LossTrees
from app.statistics.classes import ClassProbabilities, class_codes
from app.statistics.groups import Groups
from app.statistics.regression import LARGEST

if TYPE_CHECKING:
    from app.drift.fitting import ReferenceData

# Fewer labelled rows say nothing that could be relied on.
FEWEST_ROWS = 50
FEWEST_FOR_TREES = 500
# The mean loss of a bin counts as if so many rows more had the mean of all.
PRIOR_ROWS = 20


def fit_performance(data: "ReferenceData", references: Mapping[str, Reference]) -> PerformanceReference | None:
    """None where fewer than 50 rows have both a prediction and a label. `references`: of the features, with their bins.

    Classes are text; numbers on both sides are a regression's.
    """
    pairs = list(zip(data.predictions, data.labels, strict=False))
    classes = any(isinstance(value, str) for pair in pairs for value in pair)
    losses = np.full(data.size, np.nan)
    losses[: len(pairs)] = [_loss(said, true, classes) for said, true in pairs]
    counted = ~np.isnan(losses)
    if counted.sum() < FEWEST_ROWS:
        return None
    columns = {name: feature_column([_plain(value) for value in data.features[name]]) for name in references}
    mean = float(losses[counted].mean())
    return PerformanceReference(
        metric="accuracy" if classes else "mae",
        rows=int(counted.sum()),
        loss=mean,
        losses=_by_bin(columns, references, losses, mean),
        segments={name: own for name, values in data.segments.items() if (own := _by_value(values, losses))},
        outcomes=_outcomes(data, counted) if classes and data.probabilities else None,
        trees=None if classes else _trees(columns, data, losses),
    )


def _loss(said: Any, true: Any, classes: bool) -> float:
    """NaN where the two can't be compared."""
    if said is None or true is None:
        return np.nan
    if classes:
        return float(said != true)
    error = abs(float(said) - float(true))
    return error if error <= LARGEST else np.nan


def _plain(value: Any) -> Any:
    """As the decoder gives it: numbers are floats, and what is none is missing."""
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _by_bin(
    columns: Mapping[str, FeatureColumn], references: Mapping[str, Reference], losses: Floats, mean: float
) -> dict[str, tuple[float, ...]]:
    counted = ~np.isnan(losses)
    found = {}
    for name, own in Binning(references).slices().items():
        width = own.stop - own.start
        # What is missing or of another kind gets no bin while counting: here it has the last one.
        bins = Binning({name: references[name]}).bins({name: columns[name]}, len(losses))[0]
        bins = np.minimum(bins, width - 1)[counted]
        rows, sums = np.bincount(bins, minlength=width), np.bincount(bins, losses[counted], minlength=width)
        found[name] = tuple(np.round((sums + PRIOR_ROWS * mean) / (rows + PRIOR_ROWS), 6).tolist())
    return found


def _by_value(values: Sequence[str | None], losses: Floats) -> dict[str, tuple[int, float]]:
    """Nothing for a column of more values than can be followed."""
    rows: Counter[str] = Counter()
    sums: dict[str, float] = {}
    for value, loss in zip(values, losses.tolist(), strict=False):
        if value is not None and loss == loss:
            rows[value] += 1
            sums[value] = sums.get(value, 0.0) + loss
    return (
        {value: (rows[value], sums[value] / rows[value]) for value in sorted(rows)} if len(rows) <= MOST_VALUES else {}
    )


def _outcomes(data: "ReferenceData", counted: NDArray[np.bool_]) -> Outcomes | None:
    """Rows by turns in the two folds; None where the rows do not all name the same classes."""
    classes = tuple(sorted(data.probabilities))
    matrix = np.array([np.array(data.probabilities[name], np.float64) for name in classes]).T
    given = ClassProbabilities(Probabilities(classes, matrix))
    names, codes = class_codes(list(data.predictions), list(data.labels))
    said: Ints = given.column_of(names, codes[: data.size])
    truth: Ints = given.column_of(names, codes[data.size :])
    told = counted & ~np.isnan(given.at(said))
    folds = [ScoreCells(KNOWN_KINDS) for _ in range(FOLDS)]
    ScoreCells.update(folds, Groups(np.arange(data.size) % FOLDS, FOLDS), PreparedCells(given, said, truth, told, None))
    outcomes: Outcomes | None = None
    for fold, cells in enumerate(folds):
        if cells.layout is not None:
            outcomes = outcomes or Outcomes(cells.layout)
            if outcomes.layout != cells.layout:
                return None
            outcomes.add(cells, fold)
    return outcomes


def _trees(columns: Mapping[str, FeatureColumn], data: "ReferenceData", losses: Floats) -> LossTrees | None:
    counted = ~np.isnan(losses)
    if counted.sum() < FEWEST_FOR_TREES or not losses[counted].any():
        return None
    rows = np.flatnonzero(counted).tolist()
    chosen = {name: feature_column([_plain(data.features[name][row]) for row in rows]) for name in columns}
    predictions = np.array([float(data.predictions[row]) for row in rows])
    return fit_trees(chosen, predictions, np.array([losses[counted], losses[counted] ** 2]))

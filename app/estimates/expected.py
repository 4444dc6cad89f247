"""Confidence-based performance estimation: what calibrated probabilities expect of the predictions that they came with.

Expected confusion matrix: a row that was predicted positive with the calibrated probability q is a true positive by
q and a false one by 1 - q (NannyML's CBPE; Guillory and others, ICCV 2021, for accuracy alone).
"""

from collections.abc import Iterator, Sequence
from math import sqrt

import numpy as np

from app.decoding.columns import Floats
from app.estimates.calibration import Calibration, as_given
from app.estimates.cells import TRUE, UNKNOWN_KINDS, ScoreCells
from app.estimates.layout import Layout

# Of 100 intervals 95 hold what turns out, where the calibration holds.
Z = 1.96


class Estimate:
    """A figure that is expected, and the variance of what will turn out around it."""

    __slots__ = ("value", "variance")

    def __init__(self, value: float, variance: float) -> None:
        self.value = value
        self.variance = variance

    def interval(self) -> tuple[float, float]:
        """Within 0 and 1."""
        half = Z * sqrt(self.variance)
        return max(self.value - half, 0.0), min(self.value + half, 1.0)


def as_they_came(layout: Layout) -> Sequence[Calibration]:
    """The probabilities as they came, for each table."""
    return [as_given(layout.centers())] * len(layout.tables)


def expected(cells: ScoreCells, calibrations: Sequence[Calibration], positive: str | None) -> dict[str, Estimate]:
    """Figure -> its estimate, for the rows of `cells`, whatever their truth; empty where there are none.

    `calibrations`: one for each table of the cells' layout. `positive`: the configured positive class.
    Two classes: accuracy, precision, recall, f1, roc_auc. More: without roc_auc, the others as means over the classes
    and without an interval but for accuracy. Beyond `layout.MOST_CLASSES`: accuracy alone.
    """
    return dict(_expected(cells, calibrations, positive))


def expected_accuracy(cells: ScoreCells, calibrations: Sequence[Calibration]) -> Estimate | None:
    """The first of the figures, without the work for the others."""
    return next((estimate for _, estimate in _expected(cells, calibrations, None)), None)


def _expected(
    cells: ScoreCells, calibrations: Sequence[Calibration], positive: str | None
) -> Iterator[tuple[str, Estimate]]:
    layout = cells.layout
    if layout is None or not cells.weights.any():
        return
    whole = cells.whole()
    # Rows whose truth is known are counted by it as well, which does not matter here.
    told = whole if cells.kinds == UNKNOWN_KINDS else whole[:, :TRUE] + whole[:, TRUE:]
    rows = float(told.sum() / len(layout.tables))
    spread = float(cells.squares[0]) / rows
    if layout.binary:
        yield from _binary(told[0], calibrations[0], spread, positive not in (None, layout.tables[0]))
        return
    yield "accuracy", _accuracy(told, calibrations, rows, spread)
    if not layout.top:
        yield from _macro(told, calibrations).items()


def _accuracy(told: Floats, calibrations: Sequence[Calibration], rows: float, spread: float) -> Estimate:
    """`told`: (tables, 2, bins). Each row is predicted as one class, so the tables' variances add up."""
    right = variance = 0.0
    for table, own in zip(told, calibrations, strict=True):
        q = own.probabilities
        right += float(table[1] @ q)
        variance += spread * float(table[1] @ (q * (1 - q))) + float(((own.spreads @ table[1]) ** 2).sum())
    return Estimate(right / rows, variance / rows**2)


def _macro(told: Floats, calibrations: Sequence[Calibration]) -> dict[str, Estimate]:
    """Means over the classes that are predicted or expected, as `confusion_metrics` does; no variance is known."""
    q = np.array([own.probabilities for own in calibrations])
    hits, predicted = (told[:, 1] * q).sum(axis=1), told[:, 1].sum(axis=1)
    actual = (told.sum(axis=1) * q).sum(axis=1)
    figures = {
        "precision": np.divide(hits, predicted, out=np.zeros(len(hits)), where=predicted > 0),
        "recall": np.divide(hits, actual, out=np.zeros(len(hits)), where=actual > 0),
        "f1": 2 * hits / np.where(actual + predicted > 0, actual + predicted, 1.0),
    }
    return {name: Estimate(float(values.mean()), np.nan) for name, values in figures.items()}


def _binary(table: Floats, calibration: Calibration, spread: float, flipped: bool) -> Iterator[tuple[str, Estimate]]:
    """`table`: (2, bins) rows predicted as the other class, and as the table's. `flipped`: the other one is positive.

    Each figure's gradient by the positives in the cells gives its variance (delta method): outcomes vary as
    independent draws, and the calibration is uncertain for all rows of a bin alike.
    """
    q, spreads = calibration.probabilities, calibration.spreads
    if flipped:
        table, q, spreads = table[::-1], 1 - q, -spreads
    doubts = spread * table * (q * (1 - q))
    for name, value, gradient in _figures(table, q, flipped):
        drawn = float((gradient**2 * doubts).sum())
        calibrated = float(((spreads @ (gradient * table).sum(axis=0)) ** 2).sum())
        yield name, Estimate(value, drawn + calibrated)


def _figures(table: Floats, q: Floats, flipped: bool) -> Iterator[tuple[str, float, Floats]]:
    """Name, value, and (2, 1 or bins) gradient by the positives among the rows predicted negative, and positive."""
    missed, hits = (table @ q).tolist()
    negative, positive = table.sum(axis=1).tolist()
    rows, actual = negative + positive, missed + hits
    yield "accuracy", (negative - missed + hits) / rows, np.array([[-1.0], [1.0]]) / rows
    if positive > 0:
        yield "precision", hits / positive, np.array([[0.0], [1.0]]) / positive
    if actual > 0:
        yield "recall", hits / actual, np.array([[-hits], [missed]]) / actual**2
    if (both := positive + actual) > 0:
        yield "f1", 2 * hits / both, np.array([[-2 * hits], [2 * both - 2 * hits]]) / both**2
    ones, zeros = table.sum(axis=0) * q, table.sum(axis=0) * (1 - q)
    if flipped:
        ones, zeros = ones[::-1], zeros[::-1]
    pairs = float(ones.sum() * zeros.sum())
    if pairs > 0:
        area, slope = _area(ones, zeros, pairs)
        yield "roc_auc", area, (slope[::-1] if flipped else slope)[None, :]


def _area(ones: Floats, zeros: Floats, pairs: float) -> tuple[float, Floats]:
    """The share of pairs in order, those in one bin by half, and (bins,) its gradient by the positives of a bin."""
    below = np.cumsum(zeros) - zeros / 2
    above = ones.sum() - np.cumsum(ones) + ones / 2
    area = float(ones @ below) / pairs
    return area, (below - above) / pairs - area * (zeros.sum() - ones.sum()) / pairs

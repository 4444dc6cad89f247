"""What a window's rows say in the bins of its baseline: features, predictions, and the reconstruction error."""

import numpy as np

from app.decoding.columns import Ints
from app.detection.bins import Counted
from app.drift.baseline import Baseline
from app.drift.references import CategoryReference, NumberReference
from app.statistics.totals import Totals

PREDICTION = "(prediction)"
RELATIONS = "(relations)"
CLASSIFIER = "(classifier)"
Column = tuple[str, bool, Ints, Ints]
"""Name, whether its bins are a scale, rows of the window and of the baseline."""


def counted(totals: Totals, baseline: Baseline | None) -> Counted | None:
    """None unless all rows were counted against the baseline. Missing values are left out: they have a rule of their
    own."""
    features = totals.features
    if baseline is None or features is None or not features.binned.all_in(baseline.baseline_id, features.rows):
        return None
    binning, counts = baseline.binning, features.binned.counts
    columns: list[Column] = [
        (
            name,
            isinstance(baseline.features[name], NumberReference),
            counts[own.start : own.stop - 1],
            binning.reference[own.start : own.stop - 1],
        )
        for name, own in binning.slices().items()
    ]
    columns += _predictions(totals, baseline)
    if (errors := totals.error_counts(baseline)) is not None:
        columns.append((RELATIONS, True, *errors))
    if (scores := totals.score_counts(baseline)) is not None:
        columns.append((CLASSIFIER, True, *scores))
    columns = [column for column in columns if column[3].sum() > 0]
    if not columns:
        return None
    return Counted(
        baseline.baseline_id,
        [name for name, *_ in columns],
        np.cumsum([0, *(len(reference) for *_, reference in columns)])[:-1],
        np.array([ordered for _, ordered, *_ in columns], np.bool_),
        np.concatenate([own for *_, own, _ in columns]),
        np.concatenate([reference for *_, reference in columns]),
    )


def _predictions(totals: Totals, baseline: Baseline) -> list[Column]:
    reference, outputs = baseline.predictions, totals.outputs
    if outputs is None:
        return []
    if isinstance(reference, CategoryReference) and outputs.classes:
        bins, unseen = reference.bin_of(), reference.unseen_bin
        own = np.zeros(len(reference.reference()), np.int64)
        for name, count in outputs.classes.items():
            own[bins.get(name, unseen)] += count
        return [(PREDICTION, False, own, np.array(reference.reference(), np.int64))]
    if isinstance(reference, NumberReference) and outputs.binned.all_in(baseline.baseline_id, outputs.numbers):
        return [(PREDICTION, True, outputs.binned.counts, np.array(reference.reference(), np.int64))]
    return []

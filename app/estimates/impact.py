"""By how much performance has moved, and what carries it: features and segments, ranked with their share.

A feature's part is what its moved distribution alone would change, with the losses that its values had in the baseline:
sum over bins of (share now - share then) * loss then. A segment's part is exact: over the values of a column
the parts add up to the whole change.
"""

from collections.abc import Iterable, Iterator, Mapping
from math import sqrt
from typing import Any, NamedTuple

import numpy as np

from app.drift.baseline import Baseline
from app.estimates.usual import Mean, column_of
from app.segments import EVERYTHING, Segment, as_object
from app.statistics.features import Features

MOST_NAMED = 5
# What is not so many standard deviations from nothing carries nothing.
SIGMAS = 3.0


class Part(NamedTuple):
    """What `subject` adds to the mean loss, and the standard deviation that chance alone gives it."""

    column: str
    subject: Any
    change: float
    deviation: float


def feature_parts(baseline: Baseline, features: Features) -> Iterator[Part]:
    """Nothing without a labelled baseline that all rows were counted against."""
    performance = baseline.performance
    if performance is None or not features.binned.all_in(baseline.baseline_id, features.rows):
        return
    for name, own in baseline.binning.slices().items():
        losses = np.array(performance.losses.get(name, ()))
        now = features.binned.counts[own].astype(np.float64)
        then = baseline.binning.reference[own].astype(np.float64)
        if len(losses) != len(now) or not then.sum():
            continue
        # What is missing, or of another kind, was counted in no bin.
        now[-1] = features.rows - now[:-1].sum()
        p, q = now / now.sum(), then / then.sum()
        spread = float(p @ losses**2 - (p @ losses) ** 2)
        yield Part("", name, float((p - q) @ losses), sqrt(max(spread, 0.0) * (1 / now.sum() + 1 / then.sum())))


def segment_parts(now: Mapping[Segment, Mean], usual: Mapping[Segment, Mean]) -> Iterator[Part]:
    """`now`, `usual`: mean losses, of all traffic and by segment. A column of which nothing is usual has no part."""
    whole, before = now[EVERYTHING], usual[EVERYTHING]
    columns = {column_of(segment) for segment in usual} - {column_of(EVERYTHING)}
    for segment in sorted(now.keys() | usual.keys()):
        if column_of(segment) not in columns:
            continue
        own, then = now.get(segment), usual.get(segment)
        share, loss, spread = _weight(own, whole, before.loss)
        share_then, loss_then, spread_then = _weight(then, before, before.loss)
        change = share * (loss - before.loss) - share_then * (loss_then - before.loss)
        yield Part(column_of(segment), as_object(segment), change, sqrt(spread + spread_then))


def _weight(own: Mean | None, whole: Mean, usual_loss: float) -> tuple[float, float, float]:
    """Share of the rows, mean loss, and the variance of share * (loss - usual loss)."""
    if own is None or whole.rows <= 0 or own.rows <= 0:
        return 0.0, usual_loss, 0.0
    share = own.rows / whole.rows
    second = own.variance + (own.loss - usual_loss) ** 2
    return share, own.loss, share * second / whole.rows


def ranked(parts: Iterable[Part], moved: float, sign: float, name: str) -> list[dict[str, Any]]:
    """Those beyond chance, at most five: first what goes the way that performance went, the largest first, then what
    works against it. `share`: of all in its column that goes that way, negative for what works against it; features are
    one column.

    `moved`: the change of the mean loss. `sign`: -1 turns a loss into the metric. `name`: how the subject is called.
    """
    way = -1.0 if moved < 0 else 1.0
    carried = [part for part in parts if abs(part.change) > SIGMAS * part.deviation]
    totals: dict[str, float] = {}
    for part in carried:
        totals[part.column] = totals.get(part.column, 0.0) + max(way * part.change, 0.0)
    order = sorted(carried, key=lambda part: (way * part.change < 0, -abs(part.change), str(part.subject)))
    return [
        {name: part.subject, "change": sign * part.change}
        | ({"share": way * part.change / totals[part.column]} if totals[part.column] > 0 else {})
        for part in order[:MOST_NAMED]
    ]

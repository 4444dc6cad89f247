"""Corrected labels -> what they change: a cohort gives its old pair back and gets the new one."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from app.decoding.columns import Ints, PairColumns, Probabilities
from app.joining.entries import Pair
from app.joining.layouts import Layouts
from app.joining.pairs import Decode, PairRun, comparable, run_of


class Corrections(NamedTuple):
    """n predictions of one model version with the label that held `before` and the one that holds `after`."""

    before: PairRun
    after: PairRun

    def times(self) -> Ints:
        """(n,) when cohorts change (ms): never before the pane that the old pair is in, though that came late."""
        return np.maximum(self.after.times, self.before.watermarks)

    def changes(self) -> tuple[PairColumns, Ints]:
        """(2n) rows, the old pair and then the new one of each; their signs. What is taken back has a negative weight.

        Row by row, so that sums of floats do not depend on how records were cut into chunks.
        """
        old, new = self.before.pairs, self.after.pairs
        signs = np.tile(np.array([-1, 1]), old.size)
        shares = old.probabilities
        columns = PairColumns(
            model=old.model,
            version=old.version,
            task=old.task,
            weights=signs * np.repeat(np.ones(old.size) if old.weights is None else old.weights, 2),
            predicted=list(chain.from_iterable(zip(old.predicted, new.predicted, strict=True))),
            values=np.repeat(old.values, 2),
            probabilities=None
            if shares is None
            else Probabilities(shares.classes, np.repeat(shares.matrix, 2, axis=0)),
            labels=list(chain.from_iterable(zip(old.labels, new.labels, strict=True))),
            label_values=np.column_stack([old.label_values, new.label_values]).ravel(),
            lag_ms=np.column_stack([old.lag_ms, new.lag_ms]).ravel(),
        )
        return columns, signs


def correction_runs(corrections: Sequence[Pair], decode: Decode, layouts: Layouts) -> Iterator[Corrections]:
    """The corrections whose prediction can be compared with its labels. `layouts`: of the store."""
    for pairs, predictions in comparable(corrections, decode, layouts):
        replaced = [pair._replace(place=pair.place - 1) for pair in pairs]
        yield Corrections(run_of(replaced, predictions), run_of(pairs, predictions))

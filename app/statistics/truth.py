"""A chunk's labels that are numbers, in the bins of the baselines that they are counted against."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import Floats, Ints
from app.drift.baseline import Baseline


class PreparedTruth:
    """`present`: (n,) rows whose label is a number. `binned`: of each baseline that has labels its id, the (n,) bin of
    each row, and their number, which is the bin of rows that are not counted against it."""

    __slots__ = ("binned", "present")

    def __init__(
        self, labels: Floats, baselines: Iterable[tuple[Baseline | None, NDArray[np.bool_] | None]] = ()
    ) -> None:
        """`labels`: (n,) NaN where there is none. `baselines`: each with its (n,) rows, None for all."""
        self.present: NDArray[np.bool_] = ~np.isnan(labels)
        self.binned: list[tuple[str, Ints, int]] = []
        for baseline, chosen in baselines:
            if baseline is not None and (bins := baseline.of_labels.bins) is not None:
                counted = self.present if chosen is None else self.present & chosen
                self.binned.append((baseline.baseline_id, np.where(counted, bins.bins(labels), bins.width), bins.width))

"""How often what was said with a probability came true: the counts that calibrations are fitted from."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from app.decoding.columns import Floats
from app.estimates.calibration import FOLDS, Calibration, fit_calibration
from app.estimates.cells import TRUE, ScoreCells
from app.estimates.layout import Layout, layout_of


class Outcomes:
    """`counts`: (folds, tables, 2, bins) weights of the rows, and of those among them where the class came true."""

    __slots__ = ("counts", "layout")

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.counts: Floats = np.zeros((FOLDS, len(layout.tables), 2, layout.bins))

    @property
    def rows(self) -> float:
        return float(self.counts[:, 0, 0].sum())

    @property
    def both_folds(self) -> bool:
        return bool(self.counts[:, 0, 0].any(axis=1).all())

    def add(self, cells: ScoreCells, fold: int) -> None:
        """Adds rows with their truth, of the same layout, to one of the folds."""
        whole = cells.whole()
        assert cells.layout == self.layout
        self.counts[fold, :, 0] += whole.sum(axis=1)
        self.counts[fold, :, 1] += whole[:, TRUE:].sum(axis=1)

    def merge(self, other: "Outcomes") -> None:
        self.counts += other.counts

    def calibrations(self) -> list[Calibration]:
        """One for each table."""
        centers = self.layout.centers()
        return [
            fit_calibration(centers, self.counts[:, table, 0], self.counts[:, table, 1])
            for table in range(len(self.layout.tables))
        ]

    def record(self) -> dict[str, Any]:
        """As JSON: of each table the bins that are used, and the counts in them by fold."""
        tables = []
        for counts in self.counts.swapaxes(0, 1):
            used = np.flatnonzero(counts[:, 0].any(axis=0))
            tables.append({"bins": used.tolist(), "counts": _short(counts[:, :, used])})
        return {"classes": list(self.layout.classes), "tables": tables}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Outcomes":
        """Raises ValueError or KeyError for what is no such record."""
        own = cls(layout_of(tuple(map(str, record["classes"]))))
        if len(record["tables"]) != len(own.layout.tables):
            raise ValueError("as many tables are needed as the classes have")
        for place, table in enumerate(record["tables"]):
            bins = np.array(table["bins"], np.int64)
            if len(bins) and not 0 <= bins.min() <= bins.max() < own.layout.bins:
                raise ValueError(f"bins must be from 0 to {own.layout.bins - 1}")
            own.counts[:, place][:, :, bins] = np.array(table["counts"], np.float64).reshape(FOLDS, 2, len(bins))
        if (own.counts[:, :, 1] > own.counts[:, :, 0]).any() or (own.counts < 0).any():
            raise ValueError("no more can have come true than was said")
        return own


def _short(counts: Floats) -> Any:
    return np.where(counts == np.floor(counts), counts.astype(np.int64).astype(object), counts.astype(object)).tolist()

"""How far rows are from the relations between features that hold in a baseline, and a sample of rows to compare."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import FeatureColumn, Floats, Ints, PredictionColumns
from app.drift.baseline import Baseline
from app.relations.classifier import SCORE_BINS, Separation, separation
from app.relations.sampling import Keys, Sketch, row_keys, smallest
from app.statistics.binned import MIXED, Binned
from app.statistics.groups import Groups

# Errors and their squares are added up in whole steps of this size: in any order they come to the same.
ERROR_STEP = 2.0**-20
SQUARE_STEP = 2.0**-16


class Relations:
    """Reconstruction errors of the rows against one baseline, and a sketch of the rows.

    `binned`: rows in the bins of the baseline's errors. `sums`: (2,) of the errors and of their squares, in steps.
    `sketch`: of all of the traffic; segments have none. Met with another baseline, all are dropped for good.
    """

    __slots__ = ("_separation", "binned", "sketch", "sums")

    def __init__(self) -> None:
        self.binned = Binned()
        self.sums: Ints = np.zeros(2, np.int64)
        self.sketch = Sketch()
        # Of which baseline and how many rows it is, and what was worked out: a window is asked for it twice.
        self._separation: tuple[str, int, Separation | None] | None = None

    @staticmethod
    def update(members: Sequence["Relations"], groups: Groups, prepared: "PreparedRelations", sample: bool) -> None:
        """`sample`: whether rows go to the sketches."""
        counts = groups.count(prepared.bins, prepared.width + 1)[:, : prepared.width]
        sums = np.array([_sums(groups, own) for own in prepared.units]).T
        for member, own_counts, own_sums in zip(members, counts, sums, strict=True):
            member._add(prepared.baseline_id, own_counts, own_sums)
        if sample:
            prepared.sample([member.sketch for member in members], groups)

    def _add(self, baseline_id: str | None, counts: Ints, sums: Ints) -> None:
        self.binned.add(baseline_id, int(counts.sum()), counts)
        self.sums = self.sums + sums
        if self.binned.baseline_id == MIXED:
            self.sums, self.sketch = np.zeros(2, np.int64), Sketch()

    @property
    def seen(self) -> bool:
        return self.binned.baseline_id is not None

    @property
    def rows(self) -> int:
        return self.binned.rows

    def merge(self, other: "Relations") -> None:
        self._add(other.binned.baseline_id, other.binned.counts, other.sums)
        if self.binned.baseline_id != MIXED:
            self.sketch.merge(other.sketch)

    def mean_error(self) -> float | None:
        """The mean reconstruction error; None without rows."""
        return float(self.sums[0]) * ERROR_STEP / self.rows if self.rows else None

    def error_deviation(self) -> float | None:
        """The standard deviation of the reconstruction errors; None without rows."""
        if not self.rows:
            return None
        mean = float(self.sums[0]) * ERROR_STEP / self.rows
        return float(np.sqrt(max(float(self.sums[1]) * SQUARE_STEP / self.rows - mean * mean, 0.0)))

    def drift(self, baseline: Baseline) -> dict[str, Any]:
        """The figures of `multivariate`; empty unless the rows were counted against this baseline."""
        relations = baseline.relations
        if relations is None or not self.binned.all_in(baseline.baseline_id, self.rows):
            return {}
        found: dict[str, Any] = {
            "reconstruction_error": round(self.mean_error() or 0.0, 6),
            "reference_error": relations.error_mean,
            "error_deviation": round(self.error_deviation() or 0.0, 6),
        }
        found |= relations.comparison.drift(self.binned.counts)["errors"]
        told = self.separation(baseline)
        return found | ({} if told is None else {"classifier_auc": told.auc, "classifier_p_value": told.p_value})

    def separation(self, baseline: Baseline) -> Separation | None:
        """How well a classifier tells the sketch from the baseline's sample; None with too few of either."""
        if baseline.relations is None or self.binned.baseline_id != baseline.baseline_id:
            return None
        if self._separation is None or self._separation[:2] != (baseline.baseline_id, self.rows):
            reference, window = (baseline.cells.scores(rows) for rows in (baseline.relations.rows, self.sketch.rows))
            self._separation = baseline.baseline_id, self.rows, separation(reference, window)
        return self._separation[2]

    def score_counts(self, baseline: Baseline) -> tuple[Ints, Ints] | None:
        """Rows of the window and of the baseline in the bins of a classifier's scores. None where there is no sketch;
        zeros where it is too small."""
        if baseline.relations is None or not baseline.relations.sample or not len(self.sketch.keys):
            return None
        if (told := self.separation(baseline)) is not None:
            return told.window, told.reference
        rows = len(baseline.relations.rows) // SCORE_BINS
        return np.zeros(SCORE_BINS, np.int64), np.full(SCORE_BINS, rows)

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = {"binned": self.binned.state(), "sums": self.sums.tolist()}
        return state | ({"sketch": self.sketch.state()} if len(self.sketch.keys) else {})

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Relations":
        own = cls()
        own.binned = Binned.from_state(state["binned"])
        own.sums = np.array(state["sums"], np.int64)
        own.sketch = Sketch.from_state(state["sketch"]) if "sketch" in state else own.sketch
        return own


class PreparedRelations:
    """A chunk's rows against a baseline's relations, worked out once for all groupings.

    `bins`: (n,) of the errors, `width` for a row that has none of the features. `units`: errors and squares in steps.
    """

    __slots__ = ("_cells", "_keys", "_matrix", "_present", "baseline_id", "bins", "units", "width")

    def __init__(self, columns: PredictionColumns, baseline: Baseline, counted: NDArray[np.bool_] | None) -> None:
        assert baseline.relations is not None
        self.baseline_id = baseline.baseline_id
        self._matrix = _matrix(columns.features, baseline.relations.names, columns.size)
        self._cells = baseline.cells
        missing = np.isnan(self._matrix)
        self._present = ~missing.all(axis=0)
        if counted is not None:
            self._present &= counted
        errors = baseline.relations.components.errors(self._matrix, missing)
        errors[~self._present] = 0.0
        self.width = baseline.relations.error_width
        self.bins: Ints = np.where(self._present, baseline.relations.error_bins(errors), self.width)
        self.units: list[Floats] = [np.rint(errors / ERROR_STEP), np.rint(errors * errors / SQUARE_STEP)]
        self._keys: Keys = row_keys(columns.offsets, columns.timestamps)

    def sample(self, sketches: Sequence[Sketch], groups: Groups) -> None:
        """Puts the rows with the smallest keys of each group into its sketch."""
        limits = np.array([*(sketch.threshold for sketch in sketches), 0], np.int64)
        places = np.flatnonzero(self._present & (self._keys < limits[groups.index]))
        index = groups.index[places]
        for group in np.unique(index).tolist():
            own = places[index == group]
            own = own[smallest(self._keys[own])]
            sketches[group].add(self._keys[own], self._cells.bins(self._matrix[:, own]))


def _sums(groups: Groups, units: Floats) -> Ints:
    """(G,) whole numbers, added up exactly."""
    return np.bincount(groups.index, weights=units, minlength=groups.size + 1)[: groups.size].astype(np.int64)


def _matrix(columns: Mapping[str, FeatureColumn], names: Sequence[str], size: int) -> Floats:
    """(F, n) the numbers of these features, NaN where there is none."""
    nothing = np.full(size, np.nan) if any(name not in columns for name in names) else None
    return np.array([columns[name].numbers if name in columns else nothing for name in names], np.float64)

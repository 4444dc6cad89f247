"""Rows counted by what they predicted and how sure of it they were: all that estimates need, as mergeable sums."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import Floats, Ints
from app.estimates.layout import Classes, Layout, coarse_bins, layout_of, layouts
from app.statistics.classes import ClassProbabilities
from app.statistics.groups import Groups

# A row's kind in a class's table: whether the class was predicted, and whether it turned out true.
PREDICTED, TRUE = 1, 2
UNKNOWN_KINDS, KNOWN_KINDS = 2, 4


class ScoreCells:
    """Weights of rows in cells (table and kind, bin of the log-odds).

    `kinds`: 2 while the truth is not known (not predicted, predicted), 4 with it. `weights`: (tables * kinds, width),
    from bin `first` on. `squares`: the sum of the squared weights of the rows. Rows of other classes than those met
    before can't be counted with them: then all is dropped for good (`mixed`).
    """

    __slots__ = ("first", "kinds", "layout", "mixed", "squares", "weights")

    def __init__(self, kinds: int) -> None:
        self.kinds = kinds
        self.layout: Layout | None = None
        self.mixed = False
        self.first = 0
        self.weights: Floats = np.zeros((0, 0))
        self.squares = np.zeros(1)

    @staticmethod
    def update(members: Sequence["ScoreCells"], groups: Groups, prepared: "PreparedCells") -> None:
        for layout, rows in prepared.by_layout(groups, members):
            renumbered = np.full(groups.size + 1, -1, np.int64)
            chosen: list[ScoreCells] = []
            for group, member in enumerate(members):
                if not member.mixed and member.layout == layout:
                    renumbered[group] = len(chosen)
                    chosen.append(member)
            renumbered[renumbered < 0] = len(chosen)
            index = renumbered[groups.index if rows is None else np.where(rows, groups.index, groups.size)]
            if chosen:
                _add(chosen, Groups(index, len(chosen)), prepared, layout)

    def meet(self, layout: Layout) -> None:
        """Says what is added next."""
        if self.layout is None and not self.mixed:
            self.layout = layout
            self.weights = np.zeros((len(layout.tables) * self.kinds, 0))
        elif self.layout != layout:
            self._drop()

    def _drop(self) -> None:
        self.mixed, self.layout, self.first, self.weights = True, None, 0, np.zeros((0, 0))
        self.squares = np.zeros(1)

    def stretch(self, first: int, width: int) -> Floats:
        """The cells of these bins, to be written to."""
        rows, own = self.weights.shape
        last = first + width
        if not own:
            self.first, self.weights = first, np.zeros((rows, width))
        elif first < self.first or last > self.first + own:
            low, high = min(first, self.first), max(last, self.first + own)
            grown = np.zeros((rows, high - low))
            grown[:, self.first - low : self.first - low + own] = self.weights
            self.first, self.weights = low, grown
        return self.weights[:, first - self.first : last - self.first]

    @property
    def seen(self) -> bool:
        return self.mixed or bool(self.weights.size)

    @property
    def rows(self) -> float:
        """The weight of all rows: each has a cell in each table."""
        return float(self.weights.sum()) / len(self.layout.tables) if self.layout is not None else 0.0

    def merge(self, other: "ScoreCells") -> None:
        if other.mixed:
            self._drop()
        elif other.layout is not None:
            self.meet(other.layout)
            if not self.mixed and other.weights.size:
                self.stretch(other.first, other.weights.shape[1])[:] += other.weights
                self.squares += other.squares

    def whole(self) -> Floats:
        """(tables, kinds, bins) of the layout."""
        assert self.layout is not None
        cells = np.zeros((len(self.layout.tables), self.kinds, self.layout.bins))
        width = self.weights.shape[1]
        cells[:, :, self.first : self.first + width] = self.weights.reshape(-1, self.kinds, width)
        return cells

    def state(self) -> dict[str, Any]:
        if self.layout is None:
            return {"mixed": True}
        used = np.flatnonzero(self.weights.any(axis=0))
        return {
            "classes": list(self.layout.classes),
            "bins": (used + self.first).tolist(),
            "weights": _short(self.weights[:, used]),
            "squares": _short(self.squares)[0],
        }

    @classmethod
    def from_state(cls, state: dict[str, Any], kinds: int) -> "ScoreCells":
        cells = cls(kinds)
        if state.get("mixed"):
            cells._drop()
            return cells
        cells.meet(layout_of(tuple(state["classes"])))
        if bins := state["bins"]:
            places = np.array(bins, np.int64) - bins[0]
            cells.stretch(bins[0], bins[-1] - bins[0] + 1)[:, places] = state["weights"]
        cells.squares[0] = state["squares"]
        return cells


def right(cells: ScoreCells) -> float:
    """The weight of the rows that predicted what turned out true. The truth must be known."""
    assert cells.layout is not None
    by_kind = cells.weights.sum(axis=1).reshape(-1, KNOWN_KINDS).sum(axis=0)
    hits = float(by_kind[PREDICTED + TRUE])
    return hits + float(by_kind[0]) if cells.layout.binary else hits


def _short(weights: Floats) -> list[Any]:
    """Most weights are counts: without the fraction they are half as long as JSON."""
    counts = weights.astype(np.int64)
    short: list[Any] = (counts if (counts == weights).all() else weights).tolist()
    return short


class PreparedCells:
    """A chunk's rows as cells, worked out once for all groupings.

    `predicted`, `truth`: (n,) the column of each row's class among the probabilities', -1 for another one; `truth` is
    None where it is not known. `told`: (n,) rows that name what they predicted. `weights`: (n,), None when all are 1.
    """

    __slots__ = ("_cells", "_codes", "_layouts", "weights")

    def __init__(
        self,
        given: ClassProbabilities,
        predicted: Ints,
        truth: Ints | None,
        told: NDArray[np.bool_],
        weights: Floats | None,
    ) -> None:
        self.weights = weights
        self._layouts, codes = layouts(given)
        if truth is not None:
            # A truth that the row did not name is a miss of what was predicted, and says nothing of the other classes.
            top = np.array([layout.top for layout in self._layouts])
            told = told & (~np.isnan(given.at(truth)) | top[codes])
        self._codes = codes if told.all() else np.where(told, codes, -1)
        self._cells = {layout.classes: _cells(layout, given, predicted, truth) for layout in self._layouts}

    def cells(self, classes: Classes) -> tuple[Ints, Ints]:
        """(k, n) the row of the table, and the bin, of each row in the k tables of the layout of `classes`."""
        return self._cells[classes]

    def by_layout(self, groups: Groups, members: Sequence[ScoreCells]) -> list[tuple[Layout, NDArray[np.bool_] | None]]:
        """Tells each member what it meets; the layouts, with their rows (None: all)."""
        found: list[tuple[Layout, NDArray[np.bool_] | None]] = []
        for code, layout in enumerate(self._layouts):
            rows = self._codes == code
            present = np.bincount(groups.index[rows], minlength=groups.size + 1)[: groups.size]
            for group in np.flatnonzero(present).tolist():
                members[group].meet(layout)
            found.append((layout, None if rows.all() else rows))
        return found


def _cells(layout: Layout, given: ClassProbabilities, predicted: Ints, truth: Ints | None) -> tuple[Ints, Ints]:
    kinds = UNKNOWN_KINDS if truth is None else KNOWN_KINDS
    if layout.top:
        right = 0 if truth is None else TRUE * (truth == predicted)
        bins = coarse_bins(np.nan_to_num(given.at(predicted)), layout.steps)
        return (PREDICTED + right + np.zeros(len(predicted), np.int64))[None, :], bins[None, :]
    columns = [given.columns[name] for name in layout.tables]
    rows = [
        kinds * place + PREDICTED * (predicted == column) + (0 if truth is None else TRUE * (truth == column))
        for place, column in enumerate(columns)
    ]
    bins = coarse_bins(given.matrix[:, columns].T, layout.steps)
    return np.array(rows, np.int64), bins


def _add(members: Sequence[ScoreCells], groups: Groups, prepared: PreparedCells, layout: Layout) -> None:
    rows, bins = prepared.cells(layout.classes)
    first, width = int(bins.min()), int(np.ptp(bins)) + 1
    height = members[0].weights.shape[0]
    cells = rows * width + (bins - first)
    stretches = [member.stretch(first, width) for member in members]
    if prepared.weights is None:
        counts = groups.count(cells, height * width)
        for stretch, own in zip(stretches, counts, strict=True):
            stretch += own.reshape(height, width)
        for member, count in zip(members, groups.rows().tolist(), strict=True):
            member.squares += count
        return
    running = np.zeros((groups.size + 1, height, width))
    for own, stretch in zip(running, stretches, strict=False):
        own[:] = stretch
    for table in cells:
        np.add.at(running.reshape(-1), groups.index * (height * width) + table, prepared.weights)
    for own, stretch in zip(running, stretches, strict=False):
        stretch[:] = own
    # What a corrected label takes back has a negative weight, and so has its square.
    groups.carry([member.squares for member in members], [prepared.weights * np.abs(prepared.weights)])

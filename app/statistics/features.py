"""What the features looked like: kinds of values, counts in the baseline's bins, rows to fit a baseline from."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import FeatureColumn, Ints, Kind, PredictionColumns
from app.drift.baseline import Baseline
from app.drift.comparison import Drift
from app.statistics.binned import Binned
from app.statistics.groups import Groups

MAX_FEATURES = 1000
# Counted kinds: explicit nulls (the place of MISSING), and those of values. The rows that do not name the feature are
# what is left, so a column that a chunk lacks needs no care.
_KINDS = 5
_ABSENT = _KINDS


class Features:
    """Per feature how many rows had a value of which kind, and the counts in a baseline's bins.

    `rows`: those that count, which is all but failed predictions without any feature. `kinds`: (F, 5) nulls, numbers,
    texts, booleans, vectors of the sorted `names`. A feature is there once a row has named it; of more than `limit`
    those that come later (of one row: in sorted order) are left out, and `surplus` counts their values and nulls.
    """

    __slots__ = ("binned", "kinds", "limit", "names", "rows", "surplus")

    def __init__(self) -> None:
        self.rows = 0
        self.names: tuple[str, ...] = ()
        self.kinds: Ints = np.zeros((0, _KINDS), np.int64)
        self.limit = 0
        self.surplus = 0
        self.binned = Binned()

    @staticmethod
    def update(members: Sequence["Features"], groups: Groups, prepared: "PreparedFeatures") -> None:
        rows, kinds = prepared.count(groups)
        whole = (kinds.sum(axis=2) > 0).all(axis=1).tolist()
        for group, (member, own_rows) in enumerate(zip(members, rows.tolist(), strict=True)):
            member.rows += own_rows
            member.limit = max(member.limit, prepared.limit)
            if member.names == prepared.names:
                member.kinds += kinds[group]
            elif whole[group] and not member.names and len(prepared.names) <= member.limit:
                member.names, member.kinds = prepared.names, kinds[group].copy()
            else:
                member._add(prepared.names, kinds[group], lambda g=group: prepared.in_order(groups.index == g))  # type: ignore[misc]
        if prepared.baseline_id is not None and prepared.bins is not None:
            counts = groups.count(prepared.bins, prepared.width + 1)[:, : prepared.width]
            for member, own_rows, row in zip(members, rows.tolist(), counts, strict=True):
                member.binned.add(prepared.baseline_id, own_rows, row)

    def _add(self, names: Sequence[str], kinds: Ints, order: Callable[[], Iterable[str]]) -> None:
        """Adds `kinds` (len(names), 5). `order`: the names that rows name, in the order of their coming."""
        places = {name: place for place, name in enumerate(names)}
        present = [names[place] for place in np.flatnonzero(kinds.any(axis=1)).tolist()]
        known = set(self.names)
        new = [name for name in present if name not in known]
        room = self.limit - len(known)
        if len(new) > room:
            ranked = [name for name in order() if name not in known]
            new = ranked[: max(room, 0)]
            self.surplus += int(kinds[[places[name] for name in ranked[max(room, 0) :]]].sum())
        self._grow(new)
        own = {name: place for place, name in enumerate(self.names)}
        for name in present:
            if name in own:
                self.kinds[own[name]] += kinds[places[name]]

    def _grow(self, new: Sequence[str]) -> None:
        if new:
            names = tuple(sorted((*self.names, *new)))
            own = {name: place for place, name in enumerate(self.names)}
            old = np.vstack([self.kinds, np.zeros((1, _KINDS), np.int64)])
            self.kinds = old[[own.get(name, -1) for name in names]]
            self.names = names

    @property
    def seen(self) -> bool:
        return self.rows > 0

    def merge(self, other: "Features") -> None:
        self.rows += other.rows
        self.limit = max(self.limit, other.limit)
        self.surplus += other.surplus
        if self.names == other.names:
            self.kinds += other.kinds
        else:
            self._add(other.names, other.kinds, lambda: other.names)
        self.binned.merge(other.binned)

    def values(self) -> dict[str, int]:
        """Feature -> how many values it has."""
        return dict(zip(self.names, self.kinds[:, 1:].sum(axis=1).tolist(), strict=True))

    def texts(self) -> dict[str, int]:
        """Feature that has texts among its values -> how many."""
        return {name: n for name, n in zip(self.names, self.kinds[:, Kind.TEXT].tolist(), strict=True) if n}

    def drift(self, baseline: Baseline) -> dict[str, Drift]:
        """Feature -> its distances; empty unless all rows were counted against this baseline."""
        if not self.binned.all_in(baseline.baseline_id, self.rows):
            return {}
        present = {name: sum(kinds[1:]) for name, kinds in self.by_name(baseline.binning.kinds).items()}
        return baseline.binning.drift(self.binned.counts, {name: self.rows - n for name, n in present.items()})

    def by_name(self, expected: Iterable[str]) -> dict[str, list[int]]:
        """Feature -> rows with a null, a number, a text, a boolean, a vector; 0 of an `expected` one not seen."""
        nothing = {name: [0] * _KINDS for name in sorted(expected)}
        return nothing | dict(zip(self.names, self.kinds.tolist(), strict=True))

    def state(self) -> dict[str, Any]:
        state = {
            "rows": self.rows,
            "names": list(self.names),
            "kinds": self.kinds.ravel().tolist(),
            "limit": self.limit,
        }
        if self.surplus:
            state["surplus"] = self.surplus
        if self.binned.baseline_id is not None:
            state["binned"] = self.binned.state()
        return state

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Features":
        own = cls()
        own.rows, own.names, own.limit = state["rows"], tuple(state["names"]), state["limit"]
        own.kinds = _kinds(state["kinds"], len(own.names))
        own.surplus = state.get("surplus", 0)
        own.binned = Binned.from_state(state["binned"]) if "binned" in state else own.binned
        return own


def _kinds(flat: list[int], names: int) -> Ints:
    """(names, 5). What was stored before nulls were told apart has 4."""
    if not names:
        return np.zeros((0, _KINDS), np.int64)
    kinds = np.array(flat, np.int64).reshape(names, -1)
    return np.pad(kinds, [(0, 0), (_KINDS - kinds.shape[1], 0)])


class PreparedFeatures:
    """A chunk's features, worked out once for all groupings.

    `names`: sorted. `counted`: (n,) rows that count, None for all. `bins`: (k, n) in the baseline `baseline_id`.
    """

    __slots__ = (
        "_constant",
        "_mixed",
        "_places",
        "baseline_id",
        "bins",
        "columns",
        "counted",
        "limit",
        "names",
        "width",
    )

    def __init__(self, columns: PredictionColumns, baseline: Baseline | None, limit: int) -> None:
        self.columns: dict[str, FeatureColumn] = columns.features
        self.names: tuple[str, ...] = tuple(sorted(columns.features))
        self.limit = limit
        found = [columns.features[name].kinds for name in self.names]
        self._constant = [(place, int(kind)) for place, kind in enumerate(found) if isinstance(kind, Kind)]
        mixed = [(place, kinds) for place, kinds in enumerate(found) if not isinstance(kinds, Kind)]
        self._places: list[int] = [place for place, _ in mixed]
        self._mixed: Ints = np.array([kinds for _, kinds in mixed], np.int64).reshape(len(mixed), columns.size)
        self.counted = self._counted(columns.failed)
        for place, kinds in zip(self._places, self._mixed, strict=True):
            if (absent := columns.features[self.names[place]].absent) is not None:
                kinds[absent] = _ABSENT
        if self.counted is not None:
            self._mixed[:, ~self.counted] = _ABSENT
        self.baseline_id = baseline.baseline_id if baseline is not None else None
        self.bins: Ints | None = None
        self.width = 0
        if baseline is not None:
            self.bins, self.width = baseline.binning.bins(columns.features, columns.size), baseline.binning.width
            if self.counted is not None:
                self.bins = np.where(self.counted, self.bins, self.width)

    def _counted(self, failed: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
        if not failed.any() or any(kind != Kind.MISSING for _, kind in self._constant):
            return None
        counted: NDArray[np.bool_] = ~failed | (self._mixed != Kind.MISSING).any(axis=0)
        return counted

    def count(self, groups: Groups) -> tuple[Ints, Ints]:
        """(G,) rows that count, and (G, F, 5) rows of each kind."""
        rows = groups.rows() if self.counted is None else groups.only(self.counted).rows()
        kinds = np.zeros((groups.size, len(self.names), _KINDS + 1), np.int64)
        for place, kind in self._constant:
            kinds[:, place, kind] = rows
        if self._places:
            offsets = np.arange(len(self._places))[:, None] * (_KINDS + 1)
            counts = groups.count(self._mixed + offsets, len(self._places) * (_KINDS + 1))
            kinds[:, self._places] = counts.reshape(groups.size, -1, _KINDS + 1)
        return rows, kinds[:, :, :_KINDS]

    def in_order(self, chosen: NDArray[np.bool_]) -> list[str]:
        """The names that the `chosen` (n,) rows name, by the first row that does, then by name."""
        rows = np.flatnonzero(chosen)
        first = {place: 0 for place, _ in self._constant}
        named = self._mixed[:, rows] != _ABSENT
        first |= {p: int(row.argmax()) for p, row in zip(self._places, named, strict=True) if row.any()}
        return [self.names[place] for place in sorted(first, key=lambda place: (first[place], place))]

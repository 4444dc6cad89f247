"""What the values of all the traffic are like: whether they vary, how many texts there are, whether rows repeat.

It is kept of all of the traffic only: within a segment a column may well be constant.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import Kind, PredictionColumns
from app.quality import hyperloglog
from app.quality.distinct_sample import DistinctSample
from app.quality.hyperloglog import REGISTERS, Registers
from app.quality.keys import Keys, feature_keys, mixed, number_keys, text_keys
from app.statistics.groups import Groups

_NONE = np.uint64(2**64 - 1)


class Contents:
    """`spans`: feature -> smallest and largest key of its values, the same while it is constant. `texts`: feature that
    had texts -> HyperLogLog registers of them. `rows`: a sample of the distinct rows."""

    __slots__ = ("rows", "spans", "texts")

    def __init__(self) -> None:
        self.spans: dict[str, tuple[int, int]] = {}
        self.texts: dict[str, Registers] = {}
        self.rows = DistinctSample()

    @staticmethod
    def update(members: Sequence["Contents"], groups: Groups, prepared: "PreparedContents") -> None:
        """Adds each row of a chunk to its group's contents."""
        smallest, largest = prepared.spans(groups)
        texts = {name: prepared.registers(name, groups) for name in prepared.texts}
        for group, member in enumerate(members):
            own = zip(prepared.names, smallest[group], largest[group], strict=True)
            member._widen({name: (low, high) for name, low, high in own if high})
            member._register({name: found[group] for name, found in texts.items()})
        DistinctSample.update([member.rows for member in members], groups, prepared.rows)

    def _widen(self, spans: Mapping[str, tuple[int, int]]) -> None:
        for name, (low, high) in spans.items():
            before = self.spans.get(name, (low, high))
            self.spans[name] = min(low, before[0]), max(high, before[1])

    def _register(self, texts: Mapping[str, Registers]) -> None:
        for name, registers in texts.items():
            if registers.any():
                before = self.texts.get(name)
                self.texts[name] = registers if before is None else np.maximum(before, registers)

    def keep(self, names: Collection[str]) -> None:
        """Forgets all other features."""
        self.spans = {name: self.spans[name] for name in self.spans.keys() & names}
        self.texts = {name: self.texts[name] for name in self.texts.keys() & names}

    @property
    def seen(self) -> bool:
        return bool(self.spans)

    def merge(self, other: "Contents") -> None:
        self._widen(other.spans)
        self._register(other.texts)
        self.rows.merge(other.rows)

    def metrics(self) -> dict[str, float]:
        repeated = self.rows.repeated
        return {} if repeated is None else {"duplicate_share": repeated}

    def constant(self) -> dict[str, bool]:
        """Feature that has a value -> whether all its values are one and the same."""
        return {name: low == high for name, (low, high) in self.spans.items()}

    def distinct(self) -> dict[str, float]:
        """Feature with texts -> how many different ones it has, within a few percent."""
        return {name: hyperloglog.estimate(registers) for name, registers in self.texts.items()}

    def state(self) -> dict[str, Any]:
        return {
            "constant": {name: low for name, (low, high) in sorted(self.spans.items()) if low == high},
            "varied": sorted(name for name, (low, high) in self.spans.items() if low != high),
            "texts": {name: hyperloglog.state(registers) for name, registers in sorted(self.texts.items())},
            "rows": self.rows.state(),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "Contents":
        own = cls()
        own.spans = {name: (key, key) for name, key in state["constant"].items()}
        own.spans |= dict.fromkeys(state["varied"], (1, int(_NONE)))
        own.texts = {name: hyperloglog.from_state(texts) for name, texts in state["texts"].items()}
        own.rows = DistinctSample.from_state(state["rows"])
        return own


class PreparedContents:
    """A chunk's keys, worked out once. `names`: sorted features; `texts`: feature -> (n,) where it is a text."""

    __slots__ = ("_keys", "names", "rows", "texts")

    def __init__(self, columns: PredictionColumns) -> None:
        self.names: tuple[str, ...] = tuple(sorted(columns.features))
        self._keys = feature_keys(columns.features, self.names, columns.size)
        kinds = {name: np.asarray(columns.features[name].kinds) for name in self.names}
        self.texts = {name: own == Kind.TEXT for name, own in kinds.items() if (own == Kind.TEXT).any()}
        self.rows = self._rows(columns)

    def _rows(self, columns: PredictionColumns) -> Keys:
        """(n,) of each row's features and what was predicted, 0 for one that failed or has no features."""
        features = self._keys.sum(axis=0, dtype=np.uint64)
        predicted = columns.task == "classification"
        outputs = text_keys(columns.predicted) if predicted else number_keys(columns.values)
        keys = mixed(features + outputs)
        keys[(features == 0) | columns.failed] = 0
        return keys

    def spans(self, groups: Groups) -> tuple[list[list[int]], list[list[int]]]:
        """(G, k) the smallest and the largest key of each group's values; the largest is 0 where it has none."""
        missing = (self._keys == 0).any()
        lowest = np.where(self._keys == 0, _NONE, self._keys) if missing else self._keys
        if groups.size == 1 and not groups.index.any():
            return [lowest.min(axis=1).tolist()], [self._keys.max(axis=1).tolist()]
        order = np.argsort(groups.index, kind="stable")
        starts = np.searchsorted(groups.index[order], np.arange(groups.size + 1))
        order, starts = order[: starts[-1]], starts[:-1]
        smallest: NDArray[np.uint64] = np.minimum.reduceat(lowest[:, order], starts, axis=1)
        largest: NDArray[np.uint64] = np.maximum.reduceat(self._keys[:, order], starts, axis=1)
        return smallest.T.tolist(), largest.T.tolist()

    def registers(self, name: str, groups: Groups) -> Registers:
        """(G, 256) HyperLogLog registers of a feature's texts."""
        keys = self._keys[self.names.index(name)]
        present = np.broadcast_to(self.texts[name], len(keys))
        places, ranks = hyperloglog.places(keys[present])
        found = np.zeros((groups.size + 1) * REGISTERS, np.uint8)
        np.maximum.at(found, groups.index[present] * REGISTERS + places, ranks)
        return found.reshape(-1, REGISTERS)[:-1]

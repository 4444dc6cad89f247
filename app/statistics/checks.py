"""Checks that each row passes or fails: ranges, rules and required features that users configured, and empty texts."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from app.decoding.columns import FeatureColumn, Ints, Kind, PredictionColumns
from app.quality.settings import QualitySettings, Range
from app.statistics.groups import Groups

Mask = NDArray[np.bool_]
# What is checked, and of what: a feature, a feature with its range (so that two ranges don't mix), a rule, or all.
Check = tuple[str, str]
ANY_RULE: Check = ("rows", "rules")
ANY_REQUIRED: Check = ("rows", "required")


class Checks:
    """`counts`: check -> rows that it could tell of, and those of them that fail it."""

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts: dict[Check, tuple[int, int]] = {}

    @staticmethod
    def update(members: Sequence["Checks"], groups: Groups, prepared: "PreparedChecks") -> None:
        """Adds each row of a chunk to its group's counts."""
        found = prepared.count(groups).tolist()
        for member, counts in zip(members, found, strict=True):
            member._add({check: (told, failed) for check, (told, failed) in zip(prepared.checks, counts, strict=True)})

    def _add(self, counts: Mapping[Check, tuple[int, int]]) -> None:
        for check, (told, failed) in counts.items():
            if told:
                before = self.counts.get(check, (0, 0))
                self.counts[check] = before[0] + told, before[1] + failed

    def keep(self, names: Collection[str]) -> None:
        """Forgets the empty texts of all other features."""
        self.counts = {check: own for check, own in self.counts.items() if check[0] != "empty" or check[1] in names}

    @property
    def seen(self) -> bool:
        return bool(self.counts)

    def merge(self, other: "Checks") -> None:
        self._add(other.counts)

    def metrics(self) -> dict[str, float]:
        """Shares of rows: that break any rule, that lack any required feature."""
        named = {"rule_violations": ANY_RULE, "incomplete_share": ANY_REQUIRED}
        return {
            name: self.counts[check][1] / self.counts[check][0] for name, check in named.items() if check in self.counts
        }

    def consistency(self) -> dict[str, float]:
        """Rule -> share of the rows that break it, of those of which it can be told."""
        return {name: failed / told for (kind, name), (told, failed) in sorted(self.counts.items()) if kind == "rule"}

    def failed(self, kind: str) -> dict[str, tuple[int, int]]:
        """Feature -> rows told and failed, of one kind of check."""
        return {name: counts for (own, name), counts in sorted(self.counts.items()) if own == kind}

    def out_of_range(self) -> dict[str, int]:
        """Feature with a configured range -> rows outside. Without those whose range changed meanwhile."""
        found: dict[str, list[int]] = {}
        for limits, (_, failed) in self.failed("range").items():
            found.setdefault(orjson.loads(limits)[0], []).append(failed)
        return {name: counts[0] for name, counts in found.items() if len(counts) == 1}

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = {}
        for (kind, name), counts in sorted(self.counts.items()):
            state.setdefault(kind, {})[name] = list(counts)
        return state

    @classmethod
    def from_state(cls, state: Mapping[str, Mapping[str, Sequence[int]]]) -> "Checks":
        own = cls()
        for kind, by_name in state.items():
            own.counts |= {(kind, name): (told, failed) for name, (told, failed) in by_name.items()}
        return own


class PreparedChecks:
    """A chunk's rows checked, once for all groupings. `checks`: those that could tell of any row."""

    __slots__ = ("_codes", "checks")

    def __init__(self, columns: PredictionColumns, counted: Mask | None, settings: QualitySettings) -> None:
        """`counted`: (n,) rows that count, None for all."""
        rows = np.ones(columns.size, np.bool_) if counted is None else counted
        found = [*_empty(columns), *_configured(columns, settings, rows)]
        self.checks = [check for check, _, _ in found]
        codes = [told.astype(np.int64) + failed for _, told, failed in found]
        self._codes: Ints = np.array(codes, np.int64).reshape(len(found), columns.size)
        if counted is not None:
            self._codes[:, ~counted] = 0

    def count(self, groups: Groups) -> Ints:
        """(G, k, 2) rows told and failed, of each group and check."""
        of_each = 3 * np.arange(len(self.checks))[:, None]
        counts = groups.count(self._codes + of_each, 3 * len(self.checks)).reshape(groups.size, -1, 3)
        return np.stack([counts[:, :, 1] + counts[:, :, 2], counts[:, :, 2]], axis=2)


Found = Iterator[tuple[Check, Mask, Mask]]


def _empty(columns: PredictionColumns) -> Found:
    """Features with an empty text among their values; those without are not looked at further."""
    for name, column in columns.features.items():
        if column.values is not None and "" in column.values:
            empty = _empty_texts(column)
            yield ("empty", name), empty, empty


def _empty_texts(column: FeatureColumn) -> Mask:
    return np.array([value == "" for value in column.values or ()])


def _configured(columns: PredictionColumns, settings: QualitySettings, rows: Mask) -> Found:
    for name, limits in settings.ranges.items():
        if (column := columns.features.get(name)) is not None:
            yield _range(name, column, limits)
    if settings.rules:
        yield from _rules(columns, settings)
    if settings.required:
        yield from _required(columns, settings, rows)


def _range(name: str, column: FeatureColumn, limits: Range) -> tuple[Check, Mask, Mask]:
    low, high = limits
    numbers = np.where(np.asarray(column.kinds) == Kind.NUMBER, column.numbers, np.nan)
    outside = np.zeros(len(numbers), np.bool_)
    if low is not None:
        outside |= numbers < low
    if high is not None:
        outside |= numbers > high
    return ("range", orjson.dumps([name, low, high]).decode()), ~np.isnan(numbers), outside


def _rules(columns: PredictionColumns, settings: QualitySettings) -> Found:
    any_told, any_broken = np.zeros((2, columns.size), np.bool_)
    for text, expression in settings.expressions.items():
        told, broken = expression.over(columns.features, columns.size)
        any_told |= told
        any_broken |= broken
        yield ("rule", text), told, broken
    yield ANY_RULE, any_told, any_broken


def _required(columns: PredictionColumns, settings: QualitySettings, rows: Mask) -> Found:
    incomplete = np.zeros(columns.size, np.bool_)
    for name in settings.required:
        lacking = _lacking(columns.features.get(name), columns.size)
        incomplete |= lacking
        yield ("required", name), rows, lacking
    yield ANY_REQUIRED, rows, incomplete


def _lacking(column: FeatureColumn | None, size: int) -> Mask:
    """(n,) where the feature has no value, or an empty text."""
    if column is None:
        return np.ones(size, np.bool_)
    missing = np.broadcast_to(np.asarray(column.kinds) == Kind.MISSING, size)
    if column.values is not None and "" in column.values:
        missing = missing | _empty_texts(column)
    return missing

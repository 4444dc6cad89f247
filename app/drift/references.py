"""The reference distribution of one feature: its bins, and how a fitted record looks."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from app.decoding.columns import Floats, Ints, Kind
from app.drift.summary import NumberSummary
from app.relations.embeddings import VectorReference
from app.relations.texts import TextReference

# A bin more costs little on the hot path, and shows what moves within the tails.
BINS = 20
# A record must stay well below 1 MB, so wide models have bins between deciles.
BINS_OF_MANY = 10
MANY_FEATURES = 300
TOP_CATEGORIES = 20
# With more categories than this the feature is free text: a new one is nothing to notice.
MOST_KNOWN = 1000
# Bin numbers are bytes on the hot path.
MOST_EDGES = 250


@dataclass(frozen=True, slots=True)
class NumberReference:
    """Numbers, or booleans as 0 and 1. `edges` cut [minimum, maximum] into `counts`; outside lie two bins more.

    `summary`: None in a baseline of before, or of values without a finite range.
    """

    kind: Kind
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    minimum: float
    maximum: float
    missing: int
    summary: NumberSummary | None = None

    @property
    def cuts(self) -> list[float]:
        """A value's bin is the number of cuts at or below it: 0 under the minimum, the last one over the maximum."""
        return [self.minimum, *self.edges, float(np.nextafter(self.maximum, np.inf))]

    def reference(self) -> list[int]:
        return [0, *self.counts, 0]

    def locations(self) -> list[float]:
        """Where the rows of each bin lie on average; those outside the range count as at its ends."""
        bounds = np.array([self.minimum, *self.edges, self.maximum])
        shares = np.full(len(self.counts), 0.5) if self.summary is None else np.array(self.summary.centres)
        inner = bounds[:-1] * (1 - shares) + bounds[1:] * shares
        return [self.minimum, *inner.tolist(), self.maximum]

    def record(self) -> dict[str, Any]:
        summary = {} if self.summary is None else self.summary.record()
        return {
            "type": self.kind.name.lower(),
            "edges": list(self.edges),
            "counts": list(self.counts),
            "min": self.minimum,
            "max": self.maximum,
            "missing": self.missing,
        } | summary


@dataclass(frozen=True, slots=True)
class CategoryReference:
    """Text. The most frequent `categories` have a bin each, then come one for others and one for unseen ones.

    `known`: all that were seen, None when there were too many of them to call anything unseen.
    """

    categories: tuple[str, ...]
    counts: tuple[int, ...]
    other: int
    known: tuple[str, ...] | None
    missing: int
    kind: Kind = Kind.TEXT

    def reference(self) -> list[int]:
        return [*self.counts, self.other, 0]

    def bin_of(self) -> dict[str, int]:
        """Category -> bin, for all that are known."""
        other = len(self.categories)
        return dict.fromkeys(self.known or (), other) | {name: place for place, name in enumerate(self.categories)}

    @property
    def unseen_bin(self) -> int:
        return len(self.categories) + (self.known is not None)

    def record(self) -> dict[str, Any]:
        return {
            "type": "text",
            "categories": list(self.categories),
            "counts": list(self.counts),
            "other": self.other,
            "known": None if self.known is None else list(self.known),
            "missing": self.missing,
        }


Reference = NumberReference | CategoryReference | TextReference | VectorReference
_KINDS = {bool: Kind.BOOLEAN, int: Kind.NUMBER, float: Kind.NUMBER, str: Kind.TEXT, list: Kind.VECTOR}


def fit_reference(values: Sequence[Any], bins: int = BINS) -> Reference | None:
    """The reference of raw values (None, NaN and infinity: missing). Values of another kind than most are left out.

    `bins`: of equal size that numbers are cut into, as far as ties allow.

    None when nothing but missing values is there. Raises TypeError for what no event could carry.
    """
    kinds = [_kind(value) for value in values]
    tally = Counter(kinds)
    missing = tally.pop(Kind.MISSING, 0)
    if not tally:
        return None
    kind = min(tally, key=lambda one: (-tally[one], one))
    own = [value for value, found in zip(values, kinds, strict=True) if found is kind]
    if kind is Kind.VECTOR:
        return VectorReference(missing)
    if kind is Kind.TEXT:
        return _fit_categories(own, missing)
    return _fit_numbers(np.array(own, np.float64), kind, missing, bins)


def _kind(value: Any) -> Kind:
    if value is None or (isinstance(value, float) and not isfinite(value)):
        return Kind.MISSING
    for type_, kind in _KINDS.items():
        if isinstance(value, type_):
            return kind
    raise TypeError(f"a feature can't be a {type(value).__name__}")


def _fit_numbers(numbers: Floats, kind: Kind, missing: int, bins: int) -> NumberReference:
    values = np.sort(numbers)
    cuts = _quantile_edges(values, bins)
    counts = np.bincount(np.searchsorted(cuts, values, side="right"), minlength=len(cuts) + 1)
    low, high = float(values[0]), float(values[-1])
    summary = NumberSummary.fit(values, cuts, counts) if kind is Kind.NUMBER and isfinite(high - low) else None
    return NumberReference(kind, tuple(cuts.tolist()), tuple(counts.tolist()), low, high, missing, summary)


def _quantile_edges(values: Floats, bins: int) -> Floats:
    """Edges between `bins` stretches of sorted values with as many in each. A value that fills several of them is a
    bin of its own: its edges are it and the next larger value."""
    ranks = np.arange(1, bins) * len(values) // bins
    quantiles, times = np.unique(values[ranks], return_counts=True)
    after = np.searchsorted(values, quantiles[times > 1], side="right")
    edges = np.union1d(quantiles, values[after[after < len(values)]])
    above: Floats = edges[edges > values[0]]
    return above


def _fit_categories(values: Sequence[str], missing: int) -> CategoryReference:
    tally = Counter(values)
    ranked = sorted(tally.items(), key=lambda item: (-item[1], item[0]))
    top = ranked[:TOP_CATEGORIES]
    return CategoryReference(
        categories=tuple(name for name, _ in top),
        counts=tuple(count for _, count in top),
        other=len(values) - sum(count for _, count in top),
        known=tuple(sorted(tally)) if len(tally) <= MOST_KNOWN and 2 * len(tally) <= max(len(values), 20) else None,
        missing=missing,
    )


def reference_from_record(record: dict[str, Any]) -> Reference:
    """Raises ValueError or KeyError for what is no such record."""
    kind, missing = Kind[str(record["type"]).upper()], int(record["missing"])
    if kind is Kind.VECTOR:
        return VectorReference.from_record(record)
    if "vocabulary" in record:
        return TextReference.from_record(record)
    counts = tuple(int(count) for count in record["counts"])
    if kind is Kind.TEXT:
        known = record["known"]
        names = tuple(map(str, record["categories"]))
        if len(names) != len(counts):
            raise ValueError("as many counts as categories are needed")
        return CategoryReference(names, counts, int(record["other"]), None if known is None else tuple(known), missing)
    edges = tuple(float(edge) for edge in record["edges"])
    low, high = float(record["min"]), float(record["max"])
    if list(edges) != sorted(set(edges)) or len(edges) > MOST_EDGES or len(counts) != len(edges) + 1:
        raise ValueError("edges must rise, be at most 250, and have one count more")
    if low > high or (edges and not low < edges[0] <= edges[-1] <= high):
        raise ValueError("edges must lie above the minimum and up to the maximum")
    summary = NumberSummary.from_record(record, len(counts)) if "centres" in record else None
    return NumberReference(kind, edges, counts, low, high, missing, summary)


class NumberBins:
    """Bins of k numeric features at once: `cuts` (c, k), filled up with infinity."""

    __slots__ = ("cuts", "width")

    def __init__(self, references: Sequence[NumberReference]) -> None:
        cuts = [reference.cuts for reference in references]
        self.width = max(map(len, cuts), default=0) + 1
        self.cuts: Floats = np.full((self.width - 1, len(cuts)), np.inf)
        for place, own in enumerate(cuts):
            self.cuts[: len(own), place] = own

    def only(self, places: list[int]) -> "NumberBins":
        """The bins of the features at these places."""
        chosen = NumberBins([])
        chosen.width, chosen.cuts = self.width, self.cuts[:, places]
        return chosen

    def bins(self, numbers: Floats) -> Ints:
        """(k, n) the bin of each number; 0 for NaN. `numbers`: (k, n).

        Comparing the whole matrix with one row of cuts after another takes a quarter of the time of searching.
        """
        found = np.zeros(numbers.shape, np.uint8)
        for cut in self.cuts:
            found += (numbers >= cut[:, None]).view(np.uint8)
        return found.astype(np.int64)

"""Features as a matrix of numbers: numbers as they are, categories as codes in order of their frequency."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from app.decoding.columns import Floats, Kind

# Histogram boosting has 255 bins for a category; rarer categories are read as missing.
MOST_CATEGORIES = 250
KINDS = {Kind.NUMBER: "number", Kind.BOOLEAN: "boolean", Kind.TEXT: "category", Kind.VECTOR: "vector"}
TABULAR = ("number", "boolean", "category")


def kind_of(value: Any) -> Kind:
    """What a raw feature value is; what is none of it counts as missing."""
    if isinstance(value, bool):
        return Kind.BOOLEAN
    if isinstance(value, (int, float)):
        return Kind.NUMBER if isfinite(value) else Kind.MISSING
    if isinstance(value, str):
        return Kind.TEXT
    return Kind.VECTOR if isinstance(value, list) else Kind.MISSING


def column_kind(values: Iterable[Any]) -> str | None:
    """The kind that most values have (first in `KINDS` of equal ones), None when all are missing."""
    counts = Counter(map(kind_of, values))
    best = max(KINDS, key=lambda kind: counts[kind])
    return KINDS[best] if counts[best] else None


@dataclass(frozen=True, slots=True)
class Feature:
    """`kind`: one of TABULAR. `categories`: the known ones, most frequent first."""

    name: str
    kind: str
    categories: tuple[str, ...] = ()

    def encode(self, values: Sequence[Any]) -> Floats:
        """(n,) numbers, false and true as 0 and 1, codes of categories; NaN for missing, unknown and other kinds."""
        if self.kind == "category":
            codes = {category: float(code) for code, category in enumerate(self.categories)}
            return np.array([codes.get(value, np.nan) if isinstance(value, str) else np.nan for value in values])
        wanted = Kind.BOOLEAN if self.kind == "boolean" else Kind.NUMBER
        return np.array([float(value) if kind_of(value) is wanted else np.nan for value in values])


def fit_features(columns: Mapping[str, Sequence[Any]]) -> list[Feature]:
    """The features a tabular model can learn from, by name; vectors and columns without a value are left out."""
    kinds = {name: column_kind(values) for name, values in sorted(columns.items())}
    return [
        Feature(name, kind, _categories(columns[name]) if kind == "category" else ())
        for name, kind in kinds.items()
        if kind in TABULAR
    ]


def _categories(values: Sequence[Any]) -> tuple[str, ...]:
    counts = Counter(value for value in values if isinstance(value, str))
    ordered = sorted(counts, key=lambda category: (-counts[category], category))
    return tuple(ordered[:MOST_CATEGORIES])


def encode(features: Sequence[Feature], columns: Mapping[str, Sequence[Any]], rows: int) -> Floats:
    """(rows, features) of NaN where a feature is absent from `columns`."""
    absent = [None] * rows
    encoded = [feature.encode(columns.get(feature.name, absent)) for feature in features]
    return np.array(encoded, np.float64).reshape(len(features), rows).T

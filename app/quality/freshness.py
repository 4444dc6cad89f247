"""How old a row's data was when its prediction was made."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from app.decoding.columns import FeatureColumn, Floats, PredictionColumns
from app.timestamps import MILLISECONDS_FROM, milliseconds, milliseconds_of


def without(columns: PredictionColumns, name: str) -> PredictionColumns:
    """The columns without the feature `name`: a time that goes on is nothing that drifts or is out of range."""
    if name not in columns.features:
        return columns
    return replace(columns, features={own: column for own, column in columns.features.items() if own != name})


def ages(columns: PredictionColumns, name: str) -> Floats:
    """(n,) seconds from the time that the feature, or else the entry of `segments`, named `name` says to the
    prediction; negative where it lies ahead, NaN where it says no time."""
    times = _times(columns, name)
    found: Floats = (columns.timestamps - times) / 1000
    return found


def _times(columns: PredictionColumns, name: str) -> Floats:
    """(n,) ms"""
    feature = columns.features.get(name)
    if feature is None:
        return _of_texts(columns.segments.get(name) or [None] * columns.size)
    if feature.values is None:
        return _of_numbers(feature)
    return np.where(np.isnan(feature.numbers), _of_texts(feature.values), _of_numbers(feature))


def _of_numbers(feature: FeatureColumn) -> Floats:
    """Epoch seconds, or milliseconds from 1e11 up."""
    numbers = feature.numbers
    return np.where(np.abs(numbers) >= MILLISECONDS_FROM, numbers, numbers * 1000)


def _of_texts(values: Sequence[Any]) -> Floats:
    texts = [value for value in values if type(value) is str]
    if not texts:
        return np.full(len(values), np.nan)
    known = milliseconds_of(texts) if len(texts) == len(values) else None
    if known is not None:
        return known.astype(np.float64)
    return np.array([_of_text(value) if type(value) is str else np.nan for value in values])


def _of_text(text: str) -> float:
    try:
        return milliseconds(text)
    except (ValueError, OverflowError):
        return np.nan

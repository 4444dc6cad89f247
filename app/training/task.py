"""What kind of learning a model's examples call for, and their labels in its form."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import Floats
from app.decoding.tabulate import class_name, number_column
from app.training.examples import Examples

CLASSIFICATION, REGRESSION = "classification", "regression"
# Class names, or numbers.
Values = Sequence[str | None] | Floats


def find_task(configured: str | None, examples: Examples) -> str:
    """The configured task; else regression when predictions are numbers without probabilities beside them."""
    if configured is not None:
        return configured
    numbers = all(_is_number(value) for value in examples.predictions if value is not None)
    return REGRESSION if numbers and not examples.probabilities else CLASSIFICATION


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def targets(task: str, values: Sequence[Any]) -> Values:
    """Labels or predictions as class names, or as numbers (NaN where there is none)."""
    if task == CLASSIFICATION:
        return [class_name(value) for value in values]
    return number_column([value if _is_number(value) else None for value in values])


def losses(task: str, predicted: Values, labels: Values) -> Floats:
    """(n,) 0 or 1 for right or wrong classes, the absolute error of numbers; NaN where either is missing."""
    if task == REGRESSION:
        return np.abs(np.asarray(predicted, np.float64) - np.asarray(labels, np.float64))
    pairs = zip(predicted, labels, strict=True)
    return np.array([np.nan if None in pair else float(pair[0] != pair[1]) for pair in pairs])


def known(values: Values) -> NDArray[np.bool_]:
    """(n,) where there is a value."""
    if isinstance(values, np.ndarray):
        return ~np.isnan(values)
    return np.array([value is not None for value in values])

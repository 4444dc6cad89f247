"""Chunks of made-up rows, and the same rows cut up."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
from msgspec import UNSET

from app.decoding.columns import FeatureColumn, Ints, Kind, PairColumns, PredictionColumns, Probabilities
from app.decoding.tabulate import feature_column, feature_columns
from app.drift.baseline import Baseline
from app.drift.fitting import ReferenceData, fit
from app.statistics.prepared import PreparedPairs, PreparedPredictions
from app.statistics.totals import Totals

CLASSES = ("a", "b", "c")


def predictions(rows: int, seed: int = 0, *, task: str = "classification", weighted: bool = False) -> PredictionColumns:
    """Rows with numbers, text, booleans and embeddings, holes, wrong kinds, failures, and mostly probabilities."""
    rng = np.random.default_rng(seed)
    failed = rng.random(rows) < 0.1
    codes = rng.integers(0, 3, rows)
    matrix = rng.dirichlet(np.ones(3), rows)
    matrix[rng.random(rows) < 0.2] = np.nan
    values = np.where(failed, np.nan, rng.normal(5, 3, rows))
    classification = task == "classification"
    return PredictionColumns(
        model="m",
        version="1",
        task=task,
        offsets=np.arange(rows),
        timestamps=np.arange(rows) * 10,
        ids=[str(row) for row in range(rows)],
        failed=failed,
        weights=rng.uniform(1, 4, rows) if weighted else None,
        latency_ms=np.where(rng.random(rows) < 0.1, np.nan, rng.lognormal(2, 1.5, rows)),
        features=_features(rng, failed),
        as_sent=[None] * rows,
        predicted=[None if bad or not classification else CLASSES[c] for bad, c in zip(failed, codes, strict=True)],
        values=np.full(rows, np.nan) if classification else values,
        probabilities=Probabilities(CLASSES, matrix) if classification else None,
        segments={},
    )


def _features(rng: np.random.Generator, failed: Any) -> dict[str, FeatureColumn]:
    def row(bad: bool) -> dict[str, Any]:
        made = {
            "income": float(rng.normal()),
            "region": str(rng.choice(["north", "south", "east"])),
            "member": bool(rng.random() < 0.3),
            "odd": [float(rng.normal()), "text", True, None][rng.integers(0, 4)],
            "face": [0.5, 0.25],
            "rare": 1.0 if rng.random() < 0.05 else None,
        }
        return {} if bad else {name: value for name, value in made.items() if rng.random() < 0.9}

    rows = [row(bool(bad)) for bad in failed]
    return feature_columns(rows, 1000) if any(rows) else {}


def numbers(rows: int, names: Sequence[str], seed: int = 0) -> PredictionColumns:
    """Rows with nothing but numeric features that are all there."""
    rng = np.random.default_rng(seed)
    features = {name: FeatureColumn(Kind.NUMBER, rng.normal(size=rows), None) for name in names}
    return replace(predictions(rows, seed), features=features, failed=np.zeros(rows, np.bool_))


def features(columns: Mapping[str, Sequence[Any]]) -> dict[str, FeatureColumn]:
    """Columns of raw values as decoding them would give them."""
    made = {name: feature_column(list(values)) for name, values in columns.items()}
    return {name: column for name, column in made.items() if np.any(column.kinds)}


def pairs(
    rows: int, seed: int = 0, *, task: str = "classification", weighted: bool = False, classes: int = 3
) -> PairColumns:
    rng = np.random.default_rng(seed)
    names = CLASSES[:classes]
    matrix = rng.dirichlet(np.ones(classes), rows)
    matrix[rng.random(rows) < 0.1] = np.nan
    truth = rng.normal(1e6, 1, rows)
    classification = task == "classification"

    def chosen(missing: float) -> list[str | None]:
        return [
            None if not classification or rng.random() < missing else names[c] for c in rng.integers(0, classes, rows)
        ]

    return PairColumns(
        model="m",
        version="1",
        task=task,
        weights=rng.uniform(1, 4, rows) if weighted else None,
        predicted=chosen(0.1),
        values=np.where(rng.random(rows) < 0.1, np.nan, truth + rng.normal(0, 0.5, rows)),
        probabilities=Probabilities(names, matrix) if classification else None,
        labels=chosen(0.0),
        label_values=truth,
        lag_ms=rng.integers(0, 10**7, rows),
    )


def cut(columns: Any, start: int, stop: int) -> Any:
    """Rows [start, stop) as a chunk of their own, as decoding them would give it."""
    return replace(columns, **{f.name: _cut(getattr(columns, f.name), start, stop) for f in fields(columns)})


def _cut(value: Any, start: int, stop: int) -> Any:
    match value:
        case np.ndarray() | list():
            return value[start:stop]
        case Probabilities():
            matrix = value.matrix[start:stop]
            return Probabilities(value.classes, matrix) if not np.isnan(matrix).all() else None
        case dict():
            cut_columns = {name: _cut_feature(column, start, stop) for name, column in value.items()}
            return {
                name: column for name, column in cut_columns.items() if column.absent is None or not column.absent.all()
            }
        case _:
            return value


def _cut_feature(column: FeatureColumn, start: int, stop: int) -> FeatureColumn:
    values = column.values or [None if v != v else v for v in column.numbers.tolist()]
    absent = np.zeros(len(values), np.bool_) if column.absent is None else column.absent
    return feature_column([UNSET if a else v for v, a in zip(values[start:stop], absent[start:stop], strict=True)])


def baseline(columns: PredictionColumns) -> Baseline:
    """Fitted from the columns' own rows."""
    data = ReferenceData(raw_features(columns), raw_predictions(columns))
    return fit("m", "1", data, created_at=0, origin="file")


def raw_features(columns: PredictionColumns) -> dict[str, list[Any]]:
    return {
        name: column.values if column.values is not None else [None if v != v else v for v in column.numbers.tolist()]
        for name, column in columns.features.items()
    }


def raw_predictions(columns: PredictionColumns) -> list[Any]:
    return columns.predicted if columns.task == "classification" else columns.values.tolist()


def update_predictions(
    members: Sequence[Totals], groups: Ints, columns: PredictionColumns, baseline: Baseline | None, sample_rows: int
) -> None:
    """Adds a chunk of predictions that is grouped in one way only."""
    PreparedPredictions(columns, baseline, sample_rows).update(members, groups)


def update_pairs(members: Sequence[Totals], groups: Ints, columns: PairColumns, positive: str | None) -> None:
    """Adds a chunk of pairs that is grouped in one way only."""
    PreparedPairs(columns, positive).update(members, groups)

"""The Parquet files of a training job; `app/training/job.py` says what is in them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from app.decoding.columns import Kind, Probabilities
from app.training.encoding import KINDS, column_kind, kind_of
from app.training.examples import Columns, Examples
from app.training.task import CLASSIFICATION, Values, known, targets

TYPES = {"number": pa.float64(), "boolean": pa.bool_(), "category": pa.string(), "vector": pa.list_(pa.float64())}
KIND_NAMED = {name: kind for kind, name in KINDS.items()}


class BadPredictions(ValueError):
    """What a trainer wrote as its predictions can't be compared; the message says why."""


def feature_kinds(features: Columns) -> dict[str, str]:
    """The kind of each feature that has any value."""
    kinds = {name: column_kind(values) for name, values in features.items()}
    return {name: kind for name, kind in kinds.items() if kind is not None}


def write_examples(path: Path, examples: Examples, task: str, kinds: Mapping[str, str], labelled: bool) -> None:
    """The rows as Parquet; a value of another kind than its feature's is null. `labelled`: with the labels."""
    columns = {
        "prediction_id": pa.array(examples.ids, pa.string()),
        "version": pa.array(examples.versions, pa.string()),
        "timestamp": pa.array(examples.timestamps, pa.timestamp("ms", "UTC")),
    }
    for name, values in examples.segments.items():
        columns[f"segment.{name}"] = pa.array(targets(CLASSIFICATION, values), pa.string())
    for name, kind in kinds.items():
        columns[f"feature.{name}"] = _feature(examples.features.get(name, [None] * examples.size), kind)
    if labelled:
        kind = pa.string() if task == CLASSIFICATION else pa.float64()
        columns["label"] = pa.array(targets(task, examples.labels), kind, from_pandas=True)
    parquet.write_table(pa.table(columns), path)


def _feature(values: Sequence[Any], kind: str) -> Any:
    wanted = KIND_NAMED[kind]
    kept = [value if kind_of(value) is wanted else None for value in values]
    if wanted is Kind.VECTOR:
        kept = [None if value is None else [_number(item) for item in value] for value in kept]
    return pa.array(kept, TYPES[kind])


def _number(value: Any) -> float | None:
    return float(value) if kind_of(value) is Kind.NUMBER else None


def read_features(path: Path) -> Columns:
    """The feature columns of a file of examples, by feature name."""
    table = parquet.read_table(path)
    names = [name for name in table.column_names if name.startswith("feature.")]
    return {name.removeprefix("feature."): table[name].to_pylist() for name in names}


def count_rows(path: Path) -> int:
    return int(parquet.read_metadata(path).num_rows)


def read_labels(path: Path, task: str) -> Values:
    """The labels of a file of examples, as class names or numbers."""
    return targets(task, parquet.read_table(path, columns=["label"])["label"].to_pylist())


def write_predictions(path: Path, predictions: Sequence[Any], probabilities: Probabilities | None) -> None:
    """One prediction a row of the holdout, in its order."""
    columns = {"prediction": pa.array(predictions)}
    if probabilities is not None:
        for name, values in zip(probabilities.classes, probabilities.matrix.T, strict=True):
            columns[f"probability.{name}"] = pa.array(values)
    parquet.write_table(pa.table(columns), path)


def read_predictions(path: Path, task: str, rows: int) -> tuple[Values, Probabilities | None]:
    """What the trained model says of the holdout's `rows` rows. Raises BadPredictions for other than one each."""
    if not path.exists():
        raise BadPredictions("the trainer wrote no predictions.parquet")
    try:
        table = parquet.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise BadPredictions(f"predictions.parquet can't be read: {error}") from error
    if "prediction" not in table.column_names:
        raise BadPredictions("predictions.parquet has no column `prediction`")
    if table.num_rows != rows:
        raise BadPredictions(f"predictions.parquet has {table.num_rows} rows, the holdout {rows}")
    predictions = targets(task, table["prediction"].to_pylist())
    missing = rows - int(known(predictions).sum())
    if missing:
        raise BadPredictions(f"predictions.parquet lacks {missing} of {rows} predictions")
    return predictions, _read_probabilities(table)


def _read_probabilities(table: Any) -> Probabilities | None:
    names = sorted(name for name in table.column_names if name.startswith("probability."))
    if not names:
        return None
    matrix = np.array([table[name].to_numpy() for name in names], np.float64).T
    return Probabilities(tuple(name.removeprefix("probability.") for name in names), matrix)

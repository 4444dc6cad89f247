"""How far estimates without labels are from what turned out: python -m bench.statistics.estimates.

Public data sets out of NannyML's wheel, in chunks of 5,000 predictions. A baseline is fitted from the labelled
reference with the product's own code; each chunk is counted and estimated as a worker and its monitor do, and
scikit-learn says what was true. The labels of the chunks are not learned from.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
from sklearn.metrics import f1_score, mean_absolute_error, roc_auc_score, root_mean_squared_error

from app.decoding.columns import PredictionColumns, Probabilities
from app.decoding.tabulate import class_names, feature_column
from app.drift.baseline import Baseline
from app.drift.fitting import ReferenceData, fit
from app.estimates.versions import Estimates
from app.segments import EVERYTHING
from app.statistics.prepared import PreparedPredictions
from app.statistics.totals import Totals
from app.windowing.windows import Window
from bench.statistics.nannyml_data import CAR_PRICES, DATA_SETS, DataSet, NoDataError, fetch, tables

CHUNK = 5_000
Columns = Mapping[str, list[object]]


def features(data: DataSet, columns: Columns) -> dict[str, list[object]]:
    own = {name: values for name, values in columns.items() if name not in data.ignored}
    return {name: [float(v) if type(v) is int else v for v in values] for name, values in own.items()}


def shares(data: DataSet, columns: Columns) -> dict[str, list[float]]:
    """Class -> probability; where one of two is given the other has the rest."""
    given = {name: [float(p) for p in columns[column]] for name, column in data.probabilities.items()}  # type: ignore[arg-type]
    return {"0": [1 - p for p in given["1"]], **given} if len(given) == 1 else given


def outcomes(data: DataSet, values: Sequence[object]) -> list[object]:
    return list(class_names(values)) if data.probabilities else [float(v) for v in values]  # type: ignore[arg-type]


def reference(data: DataSet, columns: Columns) -> Baseline:
    rows = ReferenceData(
        features=features(data, columns),
        predictions=outcomes(data, columns[data.prediction]),
        probabilities=shares(data, columns),
        labels=outcomes(data, columns[data.truth]),
    )
    return fit("bench", "1", rows, created_at=0, origin="file")


def chunk(data: DataSet, columns: Columns) -> PredictionColumns:
    said = outcomes(data, columns[data.prediction])
    given = shares(data, columns)
    matrix = np.array([given[name] for name in sorted(given)]).T
    rows = len(said)
    return PredictionColumns(
        model="bench",
        version="1",
        task="classification" if given else "regression",
        offsets=np.arange(rows),
        timestamps=np.arange(rows),
        ids=[str(row) for row in range(rows)],
        failed=np.zeros(rows, np.bool_),
        weights=None,
        latency_ms=np.full(rows, np.nan),
        features={name: feature_column(values) for name, values in features(data, columns).items()},
        as_sent=said,
        predicted=[str(value) if given else None for value in said],
        values=np.full(rows, np.nan) if given else np.array(said, np.float64),
        probabilities=Probabilities(tuple(sorted(given)), matrix) if given else None,
        segments={},
    )


def estimated(columns: PredictionColumns, baseline: Baseline) -> dict[str, float]:
    """As a worker counts a pane, and a monitor estimates its window."""
    totals, estimates = Totals(), Estimates(None)
    PreparedPredictions(columns, baseline).update([totals], np.zeros(columns.size, np.int64))
    estimates.begin("1", baseline)
    return totals.metrics(1.0) | estimates.metrics(Window("tumbling", "1", EVERYTHING, 0, 1, totals))


def realised(columns: PredictionColumns, truth: Sequence[object]) -> dict[str, float]:
    if columns.probabilities is None:
        numbers = np.array(truth, np.float64)
        mae, rmse = mean_absolute_error(numbers, columns.values), root_mean_squared_error(numbers, columns.values)
        return {"mae": float(mae), "rmse": float(rmse)}
    labels = np.array(truth, str)
    said = np.array(columns.predicted, str)
    accuracy = float((labels == said).mean())
    if len(columns.probabilities.classes) > 2:
        return {"accuracy": accuracy, "f1": float(f1_score(labels, said, average="macro"))}
    area = roc_auc_score(labels == "1", columns.probabilities.matrix[:, 1])
    return {"accuracy": accuracy, "f1": float(f1_score(labels, said, pos_label="1")), "roc_auc": float(area)}


def measure(data: DataSet, wheel: Path) -> dict[str, tuple[float, float, float]]:
    """Figure -> mean absolute error over the chunks, that of the reference's own figure, share within the interval."""
    known, asked, truth = tables(wheel, data.files)
    columns = known.to_pydict()
    baseline = reference(data, columns)
    usual = realised(chunk(data, columns), outcomes(data, columns[data.truth]))
    found: dict[str, list[tuple[float, float, float]]] = {}
    for start in range(0, asked.num_rows, CHUNK):
        own = chunk(data, asked.slice(start, CHUNK).to_pydict())
        told, real = estimated(own, baseline), realised(own, _truth(data, truth, start))
        for name, value in real.items():
            estimate = told[f"estimated_{name}"]
            low, high = (told.get(f"estimated_{name}_{end}", np.nan) for end in ("low", "high"))
            within = float(low <= value <= high) if low == low else np.nan
            found.setdefault(name, []).append((abs(estimate - value), abs(usual[name] - value), within))
    return {name: tuple(np.mean(rows, axis=0).tolist()) for name, rows in found.items()}


def _truth(data: DataSet, table: pa.Table, start: int) -> list[object]:
    return outcomes(data, table.slice(start, CHUNK).column(data.truth).to_pylist())


def lines(data: DataSet, found: Mapping[str, tuple[float, float, float]]) -> list[str]:
    digits = 1 if data is CAR_PRICES else 5
    rows = [f"{data.name}, chunks of {CHUNK:,}: mean absolute error"]
    for name, (error, usual, within) in found.items():
        held = f"{within:.0%} within its interval" if within == within else ""
        rows.append(f"  {name:9} {error:10.{digits}f}   as in the reference: {usual:10.{digits}f}   {held}")
    return rows


def verdicts(data: DataSet, found: Mapping[str, tuple[float, float, float]]) -> list[str]:
    """What is held against NannyML's own estimates."""
    return [
        f"{'PASS' if found[name][0] <= bound else 'MISS'}  {data.name}, estimated {name}: off by {found[name][0]:.5f}, "
        f"NannyML's by {bound:g}"
        for name, bound in data.bounds.items()
    ]


def run() -> tuple[list[str], list[str]]:
    """The lines to show, and the verdicts. Raises NoDataError without a registry."""
    told: list[str] = []
    held: list[str] = []
    with TemporaryDirectory() as folder:
        wheel = fetch(Path(folder))
        for data in DATA_SETS:
            found = measure(data, wheel)
            told += [*lines(data, found), ""]
            held += verdicts(data, found)
    return told, held


def main() -> None:
    try:
        told, held = run()
    except NoDataError as missing:
        sys.exit(str(missing))
    print(*told, *held, sep="\n")


if __name__ == "__main__":
    main()

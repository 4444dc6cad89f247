"""Public data sets with labels and changes in them: out of NannyML's wheel, which the registry is asked for."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

WHEEL = "nannyml==0.13.1"
FOLDER = "nannyml/datasets/data/"


@dataclass(frozen=True)
class DataSet:
    """`files`: labelled reference, predictions to estimate, and their truth, row by row. `probabilities`: class ->
    column. `bounds`: what NannyML's own estimates are off by, at most, as measured on the same chunks."""

    name: str
    files: tuple[str, str, str]
    prediction: str
    truth: str
    probabilities: dict[str, str]
    bounds: dict[str, float]

    @property
    def ignored(self) -> set[str]:
        return {"id", "timestamp", "year", self.prediction, self.truth, *self.probabilities.values()}


CAR_LOANS = DataSet(
    "synthetic car loans",
    ("synthetic_car_loan_reference.csv", "synthetic_car_loan_analysis.csv", "synthetic_car_loan_analysis_target.csv"),
    "y_pred",
    "repaid",
    {"1": "y_pred_proba"},
    {"accuracy": 0.0031, "f1": 0.0026, "roc_auc": 0.0021},
)
EMPLOYMENT = DataSet(
    "US census, employment in Massachusetts",
    ("employment_MA_reference.pq", "employment_MA_analysis.pq", "employment_MA_analysis_target.pq"),
    "prediction",
    "employed",
    {"1": "predicted_probability"},
    {},
)
CARDS = DataSet(
    "synthetic credit cards, three classes",
    ("mc_reference.csv", "mc_analysis.csv", "mc_analysis_gt.csv"),
    "y_pred",
    "y_true",
    {name: f"y_pred_proba_{name}" for name in ("highstreet_card", "prepaid_card", "upmarket_card")},
    {},
)
CAR_PRICES = DataSet(
    "synthetic car prices (regression)",
    (
        "regression_synthetic_reference.csv",
        "regression_synthetic_analysis.csv",
        "regression_synthetic_analysis_targets.csv",
    ),
    "y_pred",
    "y_true",
    {},
    {},
)
DATA_SETS = (CAR_LOANS, EMPLOYMENT, CARDS, CAR_PRICES)


class NoDataError(Exception):
    """The registry gave no wheel, or another one than was asked for."""


def fetch(folder: Path) -> Path:
    """The wheel, downloaded into `folder` as any package is. Raises NoDataError with what pip said."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), WHEEL]
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    wheels = sorted(folder.glob("nannyml-*.whl"))
    if ran.returncode or not wheels:
        said = (ran.stderr or ran.stdout).strip().splitlines()
        raise NoDataError(f"no {WHEEL} from the package registry, so nothing to measure: {said[-1] if said else ''}")
    return wheels[0]


def tables(wheel: Path, names: Sequence[str]) -> list[pa.Table]:
    """Files of the data folder as Arrow tables."""
    with ZipFile(wheel) as archive:
        return [_table(pa.BufferReader(archive.read(FOLDER + name)), name) for name in names]


def _table(file: pa.BufferReader, name: str) -> pa.Table:
    return pyarrow.parquet.read_table(file) if name.endswith(".pq") else pyarrow.csv.read_csv(file)

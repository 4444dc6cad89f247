"""What happens before and after the training process: the files it gets, and the verdict on what it made."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.decoding.columns import Probabilities
from app.training import files
from app.training.comparison import Verdict, compare
from app.training.job import Job, read_report
from app.training.split import Split
from app.training.task import Values, targets


@dataclass(frozen=True, slots=True)
class Judged:
    """`parameters`: how the training went, with what the trainer reports."""

    verdict: Verdict
    parameters: dict[str, Any]


def prepare(directory: Path, job: Job, split: Split) -> None:
    """Writes the files that `app/training/job.py` names as going in."""
    (directory / "artifact").mkdir(parents=True)
    job.write(directory)
    files.write_examples(directory / "train.parquet", split.train, split.task, job.kinds, labelled=True)
    files.write_examples(directory / "holdout.parquet", split.holdout, split.task, job.kinds, labelled=False)


def judge(directory: Path, split: Split) -> Judged:
    """Compares what the training process left. Raises ValueError when it did not leave what it should."""
    predicted, probabilities = files.read_predictions(directory / "predictions.parquet", split.task, split.holdout.size)
    rows = split.compared
    verdict = compare(
        split.task,
        split.version,
        current=_pick(targets(split.task, split.holdout.predictions), rows),
        new=_pick(predicted, rows),
        labels=_pick(targets(split.task, split.holdout.labels), rows),
        probabilities=None
        if probabilities is None
        else Probabilities(probabilities.classes, probabilities.matrix[rows]),
    )
    rows_used = {"train_rows": split.train.size, "holdout_rows": split.holdout.size, "task": split.task}
    return Judged(verdict, {**read_report(directory), **rows_used})


def _pick(values: Values, rows: list[int]) -> Values:
    return [values[row] for row in rows] if isinstance(values, list) else np.asarray(values)[rows]

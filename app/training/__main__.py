"""The training process: `python -m app.training JOB_DIRECTORY`. It ends when its standard input does."""

import importlib
import subprocess
import sys
from pathlib import Path

from app.lifeline import end_group, hold
from app.training.job import Job, read_job, write_report
from app.training.tabular import NothingToLearn


def main() -> None:
    hold(end_group)
    directory = Path(sys.argv[1])
    job = read_job(directory)
    try:
        run(job, directory)
    except NothingToLearn as error:
        sys.exit(str(error))


def run(job: Job, directory: Path) -> None:
    """Trains by the user's function or command, or by the default trainer."""
    if job.command is not None:
        run_command([*job.command, str(directory)])
    elif job.entry_point is not None:
        module, _, function = job.entry_point.partition(":")
        sys.path.insert(0, "")
        getattr(importlib.import_module(module), function)(directory)
    else:
        train_tabular(job, directory)


def run_command(command: list[str]) -> None:
    try:
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, check=False)
    except OSError as error:
        sys.exit(f"{command[0]} can't be run: {error.strerror}")
    if ended.returncode:
        sys.exit(f"{command[0]} ended with {ended.returncode}")


def train_tabular(job: Job, directory: Path) -> None:
    """The default: a tabular model of `train.parquet`, its artifact and what it says of `holdout.parquet`."""
    from app.training import files, tabular

    train, holdout = directory / "train.parquet", directory / "holdout.parquet"
    model = tabular.fit(job.task, files.read_features(train), files.read_labels(train, job.task))
    tabular.save(model, directory / "artifact" / "model.zip")
    columns = files.read_features(holdout)
    predicted = model.predict(columns, files.count_rows(holdout))
    files.write_predictions(directory / "predictions.parquet", predicted.predictions, predicted.probabilities)
    write_report(directory, tabular.describe(model))


if __name__ == "__main__":
    main()

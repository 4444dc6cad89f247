"""`inferwatch trainer`: answers retraining requests."""

import typer

from streams.commands.context import settings_of


def trainer(
    ctx: typer.Context,
    once: bool = typer.Option(False, "--once", help="Answer what has been asked by now, then end."),
) -> None:
    """Train: take retraining requests one at a time, train, compare with the serving version, record the result.

    The registry is MLflow: the server or database that MLFLOW_TRACKING_URI names, else a SQLite file in data_dir.
    A model's `trainer` in the configuration names your own training: an entry_point (module:function) or a command.
    It gets a directory as its argument; `job.json`, `train.parquet` and `holdout.parquet` are in it. It leaves
    `predictions.parquet` (a column `prediction`, one for each row of the holdout) and the model in `artifact`.
    """
    import os
    import time

    from streams.logs import log_lines
    from streams.processes import run_until_told
    from streams.registry import Registry
    from streams.trainer import Trainer, check_topics, registry_place

    settings = settings_of(ctx)
    log_lines()
    check_topics(settings)
    place = registry_place(settings.data_dir, os.environ)
    service = Trainer(settings, lambda: Registry(*place), lambda: time.time_ns() // 1_000_000)
    run_until_told(service.run(once))

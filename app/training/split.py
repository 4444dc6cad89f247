"""Which rows train and which judge."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.decoding.columns import Floats
from app.training.examples import Examples
from app.training.regime import regime_start
from app.training.tabular import NothingToLearn
from app.training.task import find_task, losses, targets

HOLDOUT_SHARE = 0.25
LEAST_ROWS = 100
LEAST_COMPARED = 20


@dataclass(frozen=True, slots=True)
class Split:
    """`used`: all rows of the present regime, the older of which are `train` and the newest `holdout`.

    `version`: the one to compare with; `compared`: the rows of the holdout that it predicted.
    """

    task: str
    used: Examples
    train: Examples
    holdout: Examples
    version: str
    compared: list[int]


def split(examples: Examples, task: str | None, versions: Sequence[str]) -> Split:
    """The newest HOLDOUT_SHARE of the rows since the last change for the worse, by time of prediction, are held out.

    `versions`: whom the new one may be compared with, in order of preference. Raises NothingToLearn for too few rows.
    """
    if not examples.size:
        raise NothingToLearn("there are no labelled examples in the requested range")
    found = find_task(task, examples)
    used = examples
    for version in versions:
        loss = _losses_of(version, examples, found)
        if np.isfinite(loss).any():
            used = examples.since(regime_start(loss, LEAST_ROWS))
            break
    if used.size < LEAST_ROWS:
        raise NothingToLearn(f"{used.size} labelled examples are too few, {LEAST_ROWS} are needed")
    edge = used.size - round(used.size * HOLDOUT_SHARE)
    holdout = used.since(edge)
    return Split(found, used, used.until(edge), holdout, *_comparable(holdout, found, versions))


def _losses_of(version: str, examples: Examples, task: str) -> Floats:
    """(n,) losses of `version`'s own predictions, NaN for rows of others and where label or prediction is missing."""
    loss = losses(task, targets(task, examples.predictions), targets(task, examples.labels))
    return np.where([served == version for served in examples.versions], loss, np.nan)


def _comparable(holdout: Examples, task: str, versions: Sequence[str]) -> tuple[str, list[int]]:
    counts = []
    for version in versions:
        rows = np.flatnonzero(np.isfinite(_losses_of(version, holdout, task))).tolist()
        if len(rows) >= LEAST_COMPARED:
            return version, rows
        counts.append(f"{len(rows)} of version {version}")
    raise NothingToLearn(f"held-out rows to compare on: {', '.join(counts)}; {LEAST_COMPARED} are needed")

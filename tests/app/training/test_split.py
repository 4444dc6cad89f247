from typing import Any

import numpy as np
import pytest

from app.training.examples import Examples, gather
from app.training.split import split
from app.training.tabular import NothingToLearn
from app.training.task import find_task

T = 1_700_000_000_000


def examples(right: list[bool], versions: list[str] | None = None, **more: Any) -> Examples:
    n = len(right)
    names = versions or ["1"] * n
    batches = [
        {
            "model": "credit",
            "version": version,
            "prediction_ids": [f"{row:06}" for row in rows],
            "timestamps": [T + row for row in rows],
            "label_timestamps": [T + row + 1000 for row in rows],
            "predictions": ["yes"] * len(rows),
            "labels": ["yes" if right[row] else "no" for row in rows],
            "features": {"x": [float(row) for row in rows]},
            **more,
        }
        for version in sorted(set(names))
        for rows in [[row for row in range(n) if names[row] == version]]
    ]
    return gather(batches)


def test_the_newest_quarter_is_held_out() -> None:
    found = split(examples([True, False] * 200), None, ["1"])
    assert (found.train.size, found.holdout.size) == (300, 100)
    assert found.train.timestamps[-1] < found.holdout.timestamps[0]
    assert found.compared == list(range(100))
    assert (found.task, found.version) == ("classification", "1")


def test_rows_before_the_change_are_left_out() -> None:
    rng = np.random.default_rng(0)
    found = split(examples([*(rng.random(2000) < 0.95), *(rng.random(800) < 0.6)]), None, ["1"])
    assert abs(found.used.size - 800) < 60
    assert found.train.size + found.holdout.size == found.used.size


def test_the_first_version_with_enough_held_out_rows_is_compared_with() -> None:
    versions = ["1"] * 300 + ["2"] * 90 + ["3"] * 10
    found = split(examples([True, False] * 200, versions), None, ["3", "2", "1"])
    assert found.version == "2"
    assert found.compared == list(range(90))


@pytest.mark.parametrize(
    ("rows", "versions", "reason"),
    [
        (0, ["1"], "no labelled examples"),
        (60, ["1"], "60 labelled examples are too few, 100 are needed"),
        (400, ["7"], "held-out rows to compare on: 0 of version 7; 20 are needed"),
    ],
)
def test_too_little_is_refused_with_the_reason(rows: int, versions: list[str], reason: str) -> None:
    with pytest.raises(NothingToLearn, match=reason):
        split(examples([True, False] * (rows // 2)), None, versions)


def test_the_task_is_found_from_the_predictions() -> None:
    classes = examples([True] * 2)
    numbers = examples([True] * 2, predictions=[1.5, 2])
    scored = examples([True] * 2, predictions=[0, 1], probabilities={"0": [0.75, 0.25], "1": [0.25, 0.75]})
    assert find_task(None, classes) == find_task(None, scored) == "classification"
    assert find_task(None, numbers) == "regression"
    assert find_task("regression", classes) == "regression"

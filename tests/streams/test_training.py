"""The training process, its files, and its end."""

import asyncio
import signal
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.training import tabular
from app.training.examples import Examples, gather
from app.training.files import feature_kinds
from app.training.job import Job
from app.training.split import Split, split
from streams.training import TrainingFailed, train
from tests.streams.processes import gone

T = 1_700_000_000_000
ROWS = 800


def examples(regression: bool = False) -> Examples:
    rng = np.random.default_rng(0)
    x = rng.normal(size=ROWS)
    labels: list[Any] = (2 * x).tolist() if regression else np.where(x > 0, "yes", "no").tolist()
    return gather(
        [
            {
                "model": "m",
                "version": "1",
                "prediction_ids": [f"{row:04}" for row in range(ROWS)],
                "timestamps": [T + row for row in range(ROWS)],
                "label_timestamps": [T + row for row in range(ROWS)],
                "predictions": [0.0] * ROWS if regression else ["yes"] * ROWS,
                "labels": labels,
                "features": {"x": x.tolist(), "job": rng.choice(["a", "b"], ROWS).tolist(), "v": [[0.5, 1.0]] * ROWS},
                "segments": {"channel": ["web"] * ROWS},
            }
        ]
    )


def job_of(found: Split, **more: Any) -> Job:
    return Job("m", "1", "r1", found.task, feature_kinds(found.used.features), **more)


@pytest.fixture
def found() -> Split:
    return split(examples(), None, ["1"])


@pytest.mark.parametrize("regression", [False, True])
async def test_the_default_trainer_makes_a_better_model(tmp_path: Path, regression: bool) -> None:
    found = split(examples(regression), None, ["1"])
    judged = await train(tmp_path / "job", job_of(found), found, timeout_s=120)
    assert judged.verdict.accepted
    assert judged.parameters["train_rows"] == 600
    assert judged.parameters["learner"].startswith("HistGradientBoosting")
    model = tabular.load((tmp_path / "job" / "artifact" / "model.zip").read_bytes())
    assert [feature.name for feature in model.features] == ["job", "x"]
    if regression:
        assert judged.verdict.metrics["r2"] > 0.9
    else:
        assert judged.verdict.metrics["accuracy"] > 0.95
        assert judged.verdict.metrics["log_loss"] < 0.2


async def test_a_function_of_the_users_trains(tmp_path: Path, found: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    module = """
        from pyarrow import parquet, table

        def train(directory):
            learned = parquet.read_table(directory / "train.parquet")
            assert learned.column_names == [
                "prediction_id", "version", "timestamp", "segment.channel",
                "feature.job", "feature.v", "feature.x", "label",
            ]
            holdout = parquet.read_table(directory / "holdout.parquet")
            assert "label" not in holdout.column_names
            said = ["yes" if x > 0 else "no" for x in holdout["feature.x"].to_pylist()]
            parquet.write_table(table({"prediction": said}), directory / "predictions.parquet")
            (directory / "artifact" / "rule.txt").write_text("x > 0")
            (directory / "report.json").write_text('{"parameters": {"rule": "x > 0"}}')
    """
    (tmp_path / "ours.py").write_text(textwrap.dedent(module))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    judged = await train(tmp_path / "job", job_of(found, entry_point="ours:train"), found, timeout_s=60)
    assert judged.verdict.metrics["accuracy"] == 1.0
    assert judged.parameters["rule"] == "x > 0"


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        ({"entry_point": "nowhere:train"}, "No module named 'nowhere'"),
        ({"entry_point": "math:nothing"}, "no attribute 'nothing'"),
        ({"command": ["/nowhere/train"]}, "/nowhere/train can't be run: No such file or directory"),
        ({"command": ["sh", "-c", "echo out of luck; exit 3"]}, "sh ended with 3"),
        ({"command": ["true"]}, "the trainer wrote no predictions.parquet"),
        ({"command": ["sh", "-c", 'echo nonsense > "$0/predictions.parquet"']}, "predictions.parquet can't be read"),
    ],
)
async def test_a_failure_says_why_and_keeps_the_output(
    tmp_path: Path, found: Split, way: dict[str, Any], reason: str
) -> None:
    with pytest.raises(TrainingFailed, match=reason):
        await train(tmp_path / "job", job_of(found, **way), found, timeout_s=60)
    assert {path.name for path in (tmp_path / "job").iterdir()} == {"artifact", "job.json", "output.log"}


async def test_a_training_that_takes_too_long_is_ended_with_all_it_started(tmp_path: Path, found: Split) -> None:
    pid_file = tmp_path / "pid"
    command = ["sh", "-c", f"sleep 600 & echo $! > {pid_file}; wait"]
    with pytest.raises(TrainingFailed, match="took longer than 3 s"):
        await train(tmp_path / "job", job_of(found, command=command), found, timeout_s=3)
    await gone(int(pid_file.read_text()))


STARTER = """
import asyncio, sys
from pathlib import Path
from tests.streams.test_training import examples, job_of, split, train
found = split(examples(), None, ["1"])
command = ["sh", "-c", "sleep 600 & echo $! > $0.new; mv $0.new $0; wait", sys.argv[2]]
asyncio.run(train(Path(sys.argv[1]), job_of(found, command=command), found, timeout_s=600))
"""


async def test_a_training_ends_with_the_one_that_started_it(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    starter = await asyncio.create_subprocess_exec(sys.executable, "-c", STARTER, str(tmp_path / "job"), str(pid_file))
    async with asyncio.timeout(60):
        while not pid_file.exists():
            assert starter.returncode is None
            await asyncio.sleep(0.05)
    starter.send_signal(signal.SIGKILL)
    await starter.wait()
    await gone(int(pid_file.read_text()))

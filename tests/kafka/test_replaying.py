"""A file replayed says what a worker says of the same file, published."""

import subprocess
import sys
from math import isclose
from pathlib import Path
from typing import Any

import orjson
import pytest

from streams.broker import embedded_broker
from tests.kafka.harness import Published, WorkerProcess, create_topics, tumbling
from tests.kafka.test_exactness import MINUTE, settings_for
from tests.real_data import case, expected

# Figures of rows that are drawn by their offsets: a partition's are others than a file's.
DRAWN = {"classifier_auc", "classifier_p_value"}


@pytest.mark.kafka
@pytest.mark.parametrize("name", ["Phishing", "TrumpApproval"])
async def test_on_a_real_kafka(name: str, kafka: str, tmp_path: Path) -> None:
    await a_replay_says_what_a_worker_says(kafka, tmp_path, name)


async def test_on_the_embedded_broker(tmp_path: Path) -> None:
    with embedded_broker() as address:
        await a_replay_says_what_a_worker_says(address, tmp_path, "Phishing")


async def a_replay_says_what_a_worker_says(broker: str, directory: Path, name: str) -> None:
    settings = settings_for(broker, directory, f"replayed-{name.lower()}")
    create_topics(settings)
    made = case(name)
    file, windows = directory / "rows.csv", directory / "windows.jsonl"
    made.write(file)
    wanted = expected(made, MINUTE)
    predictions, labels = (sum(w[f] for (s, _), w in wanted.items() if s == "") for f in ("predictions", "labels"))
    of_model = ["--model", "real", "--task", made.task]
    with WorkerProcess(directory, settings) as worker:
        of_file = [str(file), *of_model, "--segments", "channel"]
        inferwatch(worker, "baseline", "fit", str(file), *of_model, "--version", "1", "--ignore", "channel")
        inferwatch(worker, "publish", *of_file)
        published = Published(settings, "windows")
        await published.until_all_windows(predictions, labels, len(wanted), worker)
        inferwatch(worker, "replay", *of_file, "--baseline", str(file), "--windows", str(windows))
    replayed = by_id([orjson.loads(line) for line in windows.read_bytes().splitlines()])
    worked = by_id(published.records["windows"])
    assert replayed.keys() == worked.keys()
    assert [text for one in worked for text in differences(replayed[one], worked[one])] == []


def inferwatch(worker: WorkerProcess, *arguments: str) -> None:
    command = [str(Path(sys.executable).with_name("inferwatch")), "--config", str(worker.config), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def by_id(windows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {window["window_id"]: window for window in tumbling(windows)}


def differences(one: Any, other: Any, place: str = "") -> list[str]:
    """Sums of floats depend on their order: 1e-9; all else is equal."""
    if isinstance(one, dict) and isinstance(other, dict):
        names = sorted((one.keys() | other.keys()) - DRAWN)
        return [text for name in names for text in differences(one.get(name), other.get(name), f"{place}/{name}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [text for own, its in zip(one, other, strict=True) for text in differences(own, its, f"{place}/")]
    if isinstance(one, float) and isinstance(other, float) and isclose(one, other, rel_tol=1e-9, abs_tol=1e-9):
        return []
    return [] if one == other else [f"{place}: {one} {other}"]

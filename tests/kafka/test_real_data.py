"""Real predictions, published from a file: every tumbling window is what numpy computes from the file."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.timestamps import milliseconds
from streams.broker import embedded_broker
from tests.kafka.harness import Published, WorkerProcess, create_topics, tumbling
from tests.kafka.test_exactness import MINUTE, settings_for
from tests.real_data import Case, case, expected

CASES = ("Phishing", "Bananas", "ImageSegments", "TrumpApproval")


@pytest.mark.kafka
@pytest.mark.parametrize("name", CASES)
async def test_on_a_real_kafka(name: str, kafka: str, tmp_path: Path) -> None:
    await windows_are_those_of_the_file(kafka, tmp_path, case(name))


@pytest.mark.parametrize("name", CASES[:1])
async def test_on_the_embedded_broker(name: str, tmp_path: Path) -> None:
    with embedded_broker() as address:
        await windows_are_those_of_the_file(address, tmp_path, case(name))


async def windows_are_those_of_the_file(broker: str, directory: Path, made: Case) -> None:
    settings = settings_for(broker, directory, f"real-{made.name.lower()}")
    create_topics(settings)
    file = directory / f"{made.name}.csv"
    made.write(file)
    with WorkerProcess(directory, settings) as worker:
        publish(worker.config, file, made.task)
        wanted = expected(made, MINUTE)
        predictions, labels = (sum(w[f] for (s, _), w in wanted.items() if s == "") for f in ("predictions", "labels"))
        published = Published(settings, "windows")
        await published.until_all_windows(predictions, labels, len(wanted), worker)
    found = {key(window): window for window in tumbling(published.records["windows"])}
    assert found.keys() == wanted.keys()
    problems = [f"{key} {text}" for key in wanted for text in differs(found[key], wanted[key])]
    assert problems == []


def publish(config: Path, file: Path, task: str) -> None:
    command = [str(Path(sys.executable).with_name("inferwatch")), "--config", str(config), "publish", str(file)]
    options = ["--model", "real", "--segments", "channel", "--task", task]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def key(window: dict[str, Any]) -> tuple[str, int]:
    return window["segment"].get("channel", ""), milliseconds(window["start"])


def differs(window: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """Counts exactly, metrics to 1e-9, quantiles within 1 %, the area under the curve within what its bins allow."""
    given = window["metrics"]
    found = [
        f"{name} {window[name]} {wanted[name]}" for name in ("predictions", "labels") if window[name] != wanted[name]
    ]
    for name, value in wanted["metrics"].items():
        near = 0.01 if name == "_roc_auc" else 1e-9
        actual = given.get(name.removeprefix("_"))
        if actual is None or not np.isclose(actual, value, rtol=near, atol=near):
            found.append(f"{name} {actual} {value}")
    for share in (0.5, 0.95, 0.99) if wanted["latency"] else ():
        value = float(np.quantile(wanted["latency"], share))
        if abs(given[f"latency_p{round(share * 100)}_ms"] - value) > 0.0101 * value:
            found.append(f"p{share} {given[f'latency_p{round(share * 100)}_ms']} {value}")
    for name, value in wanted["missing"].items():
        if not np.isclose(window["data_quality"][name]["missing"], value, rtol=0, atol=1e-12):
            found.append(f"missing {name} {window['data_quality'][name]} {value}")
    return found

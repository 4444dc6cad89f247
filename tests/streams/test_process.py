"""`inferwatch worker` as a process: what it says, and how it ends."""

import signal
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from app.settings import Settings
from tests.kafka.harness import WorkerProcess, free_port

PATIENCE_S = 60.0


def settings_for(broker: str, directory: Path) -> Settings:
    return Settings(broker=broker, data_dir=directory / "data", worker={"port": free_port(), "host": "127.0.0.1"})


def answers(settings: Settings, path: str) -> int | None:
    """The status of a page; None while nothing listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{settings.worker.port}{path}") as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def until_ready(settings: Settings, worker: WorkerProcess) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while answers(settings, "/readyz") != 200:
        assert worker.alive(), worker.said()
        assert time.monotonic() < deadline, worker.said()
        time.sleep(0.1)


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_says_what_it_does_and_stops_when_told_to(
    told: signal.Signals, mock_broker: str, tmp_path: Path
) -> None:
    settings = settings_for(mock_broker, tmp_path)
    with WorkerProcess(tmp_path, settings) as worker:
        until_ready(settings, worker)
        assert worker.process is not None
        worker.process.send_signal(told)
        assert worker.process.wait(PATIENCE_S) == 0
    said = worker.log.read_text()
    assert [line.split(" ", 2)[2] for line in said.splitlines()] == [
        f"Broker {mock_broker}, data in {settings.data_dir}",
        "Pages: "
        + ", ".join(f"http://127.0.0.1:{settings.worker.port}/{page}" for page in ("metrics", "healthz", "readyz")),
        "Assigned: labels 0 1 2 3, panes 0 1 2 3, predictions 0 1 2 3, resources 0 1 2 3",
        "Ready",
        f"Told to stop ({told.name})",
        "Stopped",
    ]


def test_no_broker_is_one_line_and_a_failure(tmp_path: Path) -> None:
    settings = settings_for(f"127.0.0.1:{free_port()}", tmp_path)
    with WorkerProcess(tmp_path, settings) as worker:
        assert worker.process is not None
        assert worker.process.wait(PATIENCE_S) == 1
    [line] = worker.log.read_text().splitlines()
    assert line.startswith(f"inferwatch: no Kafka answers at {settings.broker}")


async def test_a_failure_is_told_once_and_ends_the_process(mock_broker: str, tmp_path: Path) -> None:
    settings = settings_for(mock_broker, tmp_path)
    with WorkerProcess(tmp_path, settings) as worker:
        until_ready(settings, worker)
        await break_panes(mock_broker)
        assert worker.process is not None
        assert worker.process.wait(PATIENCE_S) == 1
    said = worker.log.read_text()
    assert said.count("CRITICAL") == 1
    assert "The worker stops: JSONDecodeError" in said
    assert said.splitlines()[-1].endswith("Stopped after a failure")


async def break_panes(broker: str) -> None:
    """A record that no version of Inferwatch has written."""
    producer = AIOKafkaProducer(bootstrap_servers=broker)
    await producer.start()
    try:
        await producer.send_and_wait("panes", value=b"{", partition=0)
    finally:
        await producer.stop()

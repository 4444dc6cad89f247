"""Every window equals what a batch job over all records says, whatever happens to the worker."""

from pathlib import Path
from typing import Any

import pytest

from app.settings import Settings
from tests.kafka.harness import Published, WorkerProcess, create_topics, free_port, grown, produce, tumbling
from tests.traffic import Traffic, binary_traffic
from tests.truth import differences, expected_windows

pytestmark = pytest.mark.kafka
MINUTE = 60_000


def settings_for(broker: str, directory: Path, name: str, **more: Any) -> Settings:
    worker = {"port": free_port(), "host": "127.0.0.1", "instance": name, "session_timeout_s": 6}
    return Settings(broker=broker, topic_prefix=f"{name}-", data_dir=directory / name, worker=worker, **more)


async def windows_equal_the_truth(settings: Settings, traffic: Traffic, worker: WorkerProcess) -> list[dict[str, Any]]:
    expected = expected_windows(traffic.of("predictions"), traffic.of("labels"), settings.windows, MINUTE)
    whole = [window for (_, segment, _), window in expected.items() if segment == "{}"]
    predictions, labels = (sum(window[field] for window in whole) for field in ("predictions", "labels"))
    published = Published(settings, "windows")
    await published.until_all_windows(predictions, labels, len(expected), worker)
    assert differences(tumbling(published.records["windows"]), expected) == []
    return published.records["windows"]


async def test_windows_equal_the_truth(kafka: str, tmp_path: Path) -> None:
    settings = settings_for(kafka, tmp_path, "plain")
    create_topics(settings)
    traffic = binary_traffic(20_000)
    await produce(settings, traffic.records)
    with WorkerProcess(tmp_path, settings) as worker:
        windows = await windows_equal_the_truth(settings, traffic, worker)
        assert worker.stop() == 0
    assert len({window["window_id"] for window in windows}) == len(windows)


async def test_a_worker_killed_five_times_in_the_middle_loses_and_doubles_nothing(kafka: str, tmp_path: Path) -> None:
    settings = settings_for(kafka, tmp_path, "killed")
    create_topics(settings)
    traffic = binary_traffic(200_000, rate=2000, seed=5)
    await produce(settings, traffic.records)
    with WorkerProcess(tmp_path, settings) as worker:
        for _ in range(5):
            await grown(settings, "panes", 40, worker)
            worker.kill()
            worker.start()
        await windows_equal_the_truth(settings, traffic, worker)

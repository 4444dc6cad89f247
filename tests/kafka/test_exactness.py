"""Every window and cohort equals what a batch job over all records says, whatever happens to the worker."""

from pathlib import Path
from typing import Any

import pytest

from app.config.window_settings import WindowSettings
from app.settings import Settings
from tests.chaos.truth import Truth
from tests.kafka.harness import Published, WorkerProcess, create_topics, free_port, grown, produce, tumbling
from tests.traffic import Traffic, binary_traffic

pytestmark = pytest.mark.kafka
MINUTE = 60_000


def settings_for(broker: str, directory: Path, name: str, **more: Any) -> Settings:
    worker = {"port": free_port(), "host": "127.0.0.1", "instance": name, "session_timeout_s": 6}
    worker["block_records"] = 8192  # a partition's records are more than one block
    about = {"worker": worker, "windows": WindowSettings(cohort_s=60, cohort_revision_s=10)} | more
    return Settings(broker=broker, topic_prefix=f"{name}-", data_dir=directory / name, **about)


async def windows_equal_the_truth(settings: Settings, traffic: Traffic, worker: WorkerProcess) -> None:
    truth = Truth.from_records(settings, traffic.of("predictions"), traffic.of("labels"))
    assert await truth.differences(settings, worker) == []


async def test_windows_equal_the_truth(kafka: str, tmp_path: Path) -> None:
    settings = settings_for(kafka, tmp_path, "plain")
    create_topics(settings)
    traffic = binary_traffic(20_000, corrected_share=0.05)
    await produce(settings, traffic.records)
    with WorkerProcess(tmp_path, settings) as worker:
        await windows_equal_the_truth(settings, traffic, worker)
        assert worker.stop() == 0
    published = Published(settings, "windows")
    await published.until(lambda seen: bool(seen.records["windows"]))
    ids = [window["window_id"] for window in tumbling(published.records["windows"])]
    assert len(set(ids)) == len(ids)


async def test_a_worker_killed_five_times_in_the_middle_loses_and_doubles_nothing(kafka: str, tmp_path: Path) -> None:
    settings = settings_for(kafka, tmp_path, "killed")
    create_topics(settings)
    traffic = binary_traffic(200_000, rate=2000, seed=5, corrected_share=0.05)
    await produce(settings, traffic.records)
    with WorkerProcess(tmp_path, settings) as worker:
        for _ in range(5):
            await grown(settings, "panes", 40, worker)
            worker.kill()
            worker.start()
        await windows_equal_the_truth(settings, traffic, worker)

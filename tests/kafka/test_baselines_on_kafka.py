"""Baselines of periods of the stream, and what counts when, over two workers on a real Kafka."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.config.window_settings import WindowSettings
from app.drift.baseline import Baseline
from app.settings import Settings
from app.timestamps import milliseconds, rfc3339
from streams.baselinetopic import read_baselines
from tests.kafka.harness import PATIENCE_S, Published, WorkerProcess, create_topics, free_port, produce, tumbling
from tests.traffic import START, binary_traffic

pytestmark = pytest.mark.kafka

RATE = 200


def settings_for(broker: str, directory: Path, worker: str) -> Settings:
    return Settings.model_validate(
        {
            "broker": broker,
            "topic_prefix": "baselines-",
            "data_dir": str(directory / worker),
            "worker": {"port": free_port(), "host": "127.0.0.1", "instance": worker, "session_timeout_s": 6},
            "windows": WindowSettings(pane_s=5, tumbling_s=[10], hopping_s=[], idle_after_s=5).model_dump(),
            "models": {"credit": {"baseline": {"first_events": 10**6}}},
        }
    )


async def fit(worker: WorkerProcess, start_s: int, end_s: int) -> None:
    """`inferwatch baseline fit` of these seconds of the traffic."""
    period = ["--from", rfc3339(START + start_s * 1000), "--to", rfc3339(START + end_s * 1000)]
    command = [str(Path(sys.executable).with_name("inferwatch")), "--config", str(worker.config), "baseline", "fit"]
    command += ["--model", "credit", "--version", "1", *period]
    await asyncio.to_thread(subprocess.run, command, check=True, timeout=60, env=dict(os.environ))


async def counting(settings: Settings) -> tuple[Baseline, ...]:
    return (await read_baselines(settings))["credit", "1"].baselines


async def heard(baseline: Baseline, *workers: WorkerProcess) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not all(baseline.baseline_id in worker.log.read_text(errors="replace") for worker in workers):
            assert all(worker.alive() for worker in workers)
            await asyncio.sleep(0.1)


async def test_each_window_is_counted_against_the_baseline_of_its_time(kafka: str, tmp_path: Path) -> None:
    #  seconds    0 ........ 40 ........ 80 ........ 120
    #  first      fitted -----> counts ->|
    #  second                 fitted ---> counts from the edge on
    settings = settings_for(kafka, tmp_path, "one")
    create_topics(settings)
    traffic = binary_traffic(120 * RATE, rate=RATE, late_share=0, label_delay_s=3)

    def part(start_s: int, end_s: int) -> list[Any]:
        return [record for record in traffic.records if start_s * RATE <= record.order < end_s * RATE]

    workers = [
        WorkerProcess(tmp_path, settings, "one"),
        WorkerProcess(tmp_path, settings_for(kafka, tmp_path, "two"), "two"),
    ]
    published = Published(settings, "windows")

    async def closed(end_s: int) -> None:
        await published.until(
            lambda seen: any(end_of(w) >= end_s for w in tumbling(seen.records["windows"])), workers[0]
        )

    with workers[0], workers[1]:
        await produce(settings, part(0, 40))
        await closed(30)
        await fit(workers[0], 0, 30)
        [first] = await counting(settings)
        assert (first.origin, first.effective_from) == ("period", None)
        assert first.size > 20 * RATE
        assert first.labels is not None
        assert sum(first.labels.counts) > first.size / 2  # type: ignore[union-attr]
        await heard(first, *workers)
        await produce(settings, part(40, 80))
        await closed(70)
        await fit(workers[1], 40, 70)
        second = (await counting(settings))[-1]
        edge = second.effective_from
        assert edge is not None
        await heard(second, *workers)
        await produce(settings, part(80, 120))
        await closed(120)
    told = {
        milliseconds(window["start"]): window.get("baseline_id")
        for window in tumbling(published.records["windows"])
        if (window["version"], window["segment"]) == ("1", {})
    }
    before = {name for start, name in told.items() if START + 50_000 <= start < edge}
    after = {name for start, name in told.items() if start >= edge}
    assert before == {first.baseline_id}
    assert after == {second.baseline_id}


def end_of(window: dict[str, Any]) -> float:
    return (milliseconds(window["end"]) - START) / 1000

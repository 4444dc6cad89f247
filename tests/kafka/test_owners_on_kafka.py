"""Owners of partitions are told apart, also those that come back under the name of one that died, or did not."""

import asyncio
import signal
from collections import defaultdict
from pathlib import Path

import pytest

from app.settings import Settings
from app.sources.fences import outdated
from tests.kafka.harness import PATIENCE_S, Published, WorkerProcess, create_topics, free_port, produce
from tests.kafka.test_exactness import settings_for, windows_equal_the_truth
from tests.traffic import binary_traffic

pytestmark = pytest.mark.kafka

Name = tuple[str, int]


def told(published: Published) -> dict[Name, list[int]]:
    """By source partition the epochs in the order in which ticks told of them."""
    found: dict[Name, list[int]] = defaultdict(list)
    for record in published.records["panes"]:
        for topic, partition, epoch in record.get("tick", {}).get("epochs", ()):
            known = found[topic, partition]
            if epoch and epoch not in known:
                known.append(epoch)
    return found


async def owners(settings: Settings, number: int, worker: WorkerProcess) -> dict[Name, list[int]]:
    """When so many have told of each partition of the join."""
    published = Published(settings, "panes")
    partitions = 2 * settings.topics.partitions

    def all_spoke(seen: Published) -> bool:
        found = told(seen)
        return len(found) >= partitions and all(len(epochs) >= number for epochs in found.values())

    await published.until(all_spoke, worker)
    return told(published)


async def test_a_worker_that_comes_back_under_its_own_name_is_another_owner(kafka: str, tmp_path: Path) -> None:
    """The broker gives it the generation of the one that died; what that one told must be told from what it tells."""
    settings = settings_for(kafka, tmp_path, "named")
    create_topics(settings)
    await produce(settings, binary_traffic(4_000, rate=100).records)
    with WorkerProcess(tmp_path, settings) as worker:
        await owners(settings, 1, worker)
        worker.kill()
        worker.start()
        found = await owners(settings, 2, worker)
    for epochs in found.values():
        assert epochs == sorted(epochs)
        assert outdated(epochs[0], epochs[-1])


async def test_a_worker_whose_name_was_taken_while_it_stood_still_ends_and_spoils_nothing(
    kafka: str, tmp_path: Path
) -> None:
    settings = settings_for(kafka, tmp_path, "taken")
    create_topics(settings)
    traffic = binary_traffic(20_000, rate=1000, corrected_share=0.05)
    await produce(settings, traffic.records)
    elsewhere = {"port": free_port(), "instance": settings.worker.instance}
    worker_there = settings.worker.model_copy(update=elsewhere)
    there = settings.model_copy(update={"worker": worker_there, "data_dir": tmp_path / "elsewhere"})
    with WorkerProcess(tmp_path, settings) as older:
        await owners(settings, 1, older)
        assert older.process is not None
        older.process.send_signal(signal.SIGSTOP)
        with WorkerProcess(tmp_path, there, "younger") as younger:
            await owners(settings, 2, younger)
            older.process.send_signal(signal.SIGCONT)
            assert await asyncio.to_thread(older.process.wait, PATIENCE_S) == 1
            assert "another worker runs as 'taken'" in older.said()
            await windows_equal_the_truth(settings, traffic, younger)

"""A join's store that was lost is made anew: the windows are those of a worker that lost nothing."""

import shutil
from pathlib import Path

import pytest

from app.settings import Settings
from streams.joins import JoinStore
from tests.kafka.harness import WorkerProcess, committed, create_topics, grown, produce
from tests.kafka.test_exactness import settings_for, windows_equal_the_truth
from tests.streams.test_joins import damage
from tests.traffic import binary_traffic

pytestmark = pytest.mark.kafka


def lose_stores(settings: Settings) -> None:
    stores = list((settings.data_dir / "joins").iterdir())
    assert stores
    for store in stores:
        shutil.rmtree(store)


async def test_a_store_deleted_while_the_worker_was_dead_costs_no_pair_and_doubles_none(
    kafka: str, tmp_path: Path
) -> None:
    settings = settings_for(kafka, tmp_path, "lost")
    # Commits go by blocks: with small ones there is much to make anew each time.
    settings = settings.model_copy(update={"worker": settings.worker.model_copy(update={"block_records": 1000})})
    create_topics(settings)
    traffic = binary_traffic(60_000, rate=2000, seed=8, corrected_share=0.05)
    await produce(settings, traffic.records)
    with WorkerProcess(tmp_path, settings) as worker:
        for _ in range(3):
            await committed(settings, "predictions", 10_000, worker)
            worker.kill()
            lose_stores(settings)
            worker.start()
        await windows_equal_the_truth(settings, traffic, worker)
        said = worker.log.read_text()
    assert said.count("the join's store is complete again") >= 3


async def test_a_block_that_can_not_be_read_costs_no_pair_and_doubles_none(kafka: str, tmp_path: Path) -> None:
    settings = settings_for(kafka, tmp_path, "rotten")
    create_topics(settings)
    traffic = binary_traffic(60_000, rate=2000, seed=9, corrected_share=0.05)
    await produce(settings, traffic.records)
    with WorkerProcess(tmp_path, settings) as worker:
        await grown(settings, "panes", 60, worker)
        worker.kill()
        # Opened once, its log becomes tables, which can then be damaged.
        for store in (settings.data_dir / "joins").iterdir():
            JoinStore(store, settings.labels.horizon_s).close()
            damage(store)
        worker.start()
        await windows_equal_the_truth(settings, traffic, worker)
        said = worker.log.read_text()
    assert "a block of it can't be read" in said

"""A process of its own fills a store; whoever goes on then has the store that one alone would have made."""

from pathlib import Path

import pytest

from app.joining.told import SIDES
from app.settings import Settings
from app.sources.marks import Mark
from streams.filling import FAR, fill, is_far_behind
from streams.joins import JoinStore
from streams.rebuilding import Already, NoLongerOurs, Progress, Rebuild
from tests.kafka.harness import create_topics, produce
from tests.traffic import binary_traffic

pytestmark = pytest.mark.kafka
HERE = 2


class Partition:
    """One with records, of which all but the last hundred of each side are committed."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        records = binary_traffic(20_000, rate=2000, corrected_share=0.05).records
        self.records = [record for record in records if record.partition == HERE]
        self.ids = sorted({record.key for record in self.records})
        self.floors = {topic: sum(record.topic == topic for record in self.records) - 100 for topic in SIDES}
        self.marks = {topic: Mark() for topic in SIDES}

    async def produce(self) -> None:
        create_topics(self.settings)
        await produce(self.settings, self.records)

    def path(self, name: str) -> Path:
        return self.settings.data_dir / name

    def open(self, name: str) -> JoinStore:
        return JoinStore(self.path(name), self.settings.labels.horizon_s)

    async def completed(self, name: str, progress: Progress | None = None) -> list[bytes | None]:
        """What the store holds, once it was made anew to the end."""
        store, progress = self.open(name), progress or Progress(HERE)
        rebuild = Rebuild(self.settings, store, self.floors, self.marks, Already(), progress, lambda: True)
        await rebuild.run()
        held = store.get(self.ids)
        store.close()
        return held


@pytest.fixture
async def partition(kafka: str, tmp_path: Path, request: pytest.FixtureRequest) -> Partition:
    made = Partition(Settings(broker=kafka, topic_prefix=f"{request.node.name}-", data_dir=tmp_path))
    await made.produce()
    return made


async def test_it_is_as_if_one_had_made_it(partition: Partition) -> None:
    progress = Progress(HERE)
    await fill(partition.settings, partition.path("a"), partition.floors, partition.marks, progress, lambda: True)
    assert progress.done == progress.total == sum(partition.floors.values())
    filled = partition.open("a")
    assert filled.unfinished
    assert {topic: filled.next_offset(topic) for topic in SIDES} == partition.floors
    filled.close()
    held = await partition.completed("a")
    assert any(held)
    assert held == await partition.completed("b")


async def test_one_that_is_lost_on_the_way_is_gone_on_with(partition: Partition) -> None:
    progress = Progress(HERE)
    with pytest.raises(NoLongerOurs):
        await fill(
            partition.settings,
            partition.path("a"),
            partition.floors,
            partition.marks,
            progress,
            lambda: not progress.done,
        )
    assert 0 < progress.done < progress.total
    assert await partition.completed("a", progress) == await partition.completed("b")
    assert progress.done == progress.total


async def test_one_that_fails_is_told_and_nothing_is_lost(
    partition: Partition, caplog: pytest.LogCaptureFixture
) -> None:
    """Its store is open here."""
    store = partition.open("a")
    await fill(partition.settings, partition.path("a"), partition.floors, partition.marks, Progress(HERE), lambda: True)
    store.close()
    assert "the store of partition 2 has failed" in caplog.text
    assert await partition.completed("a") == await partition.completed("b")


def test_it_is_worth_it_when_much_is_missing(tmp_path: Path) -> None:
    store = JoinStore(tmp_path / "s", 86_400.0)
    assert is_far_behind(store, {"predictions": FAR, "labels": 0})
    assert not is_far_behind(store, {"predictions": FAR - 1, "labels": 0})
    store.write("predictions", 10, 1_795_176_000_000)
    assert not is_far_behind(store, {"predictions": FAR, "labels": 0})
    assert not is_far_behind(store, {"predictions": 9, "labels": 2 * FAR}), "what lies above must be taken out first"
    store.close()

"""Owners of a partition in an order drawn by lot: what they told adds up to what one of them would have told.

Each counts a little of either side, tells it or not, commits it or not, is killed between two messages, or stopped and
goes on beside the next one; it has its store of before, one that is behind, or none. A failure names its history.
"""

from functools import cache
from pathlib import Path

import orjson
import pytest

from app.settings import Settings
from tests.chaos.adding import Cells, cells
from tests.chaos.histories import History, end, mortal
from tests.chaos.owning import Log, Owner
from tests.kafka.harness import create_topics
from tests.traffic import Sent, binary_traffic

pytestmark = pytest.mark.kafka
STREAMS = 7
SHORT, LONG = range(8), pytest.param(range(1000, 1100), marks=pytest.mark.chaos)


@cache
def traffic(stream: int) -> list[Sent]:
    return binary_traffic(1200, rate=20, seed=stream, corrected_share=0.1).records


async def begun(broker: str, directory: Path, name: str, stream: int) -> tuple[Settings, Log]:
    """Topics of its own, with the stream in them."""
    settings = Settings(
        broker=broker,
        topic_prefix=f"{name}-",
        data_dir=directory / name,
        worker={"block_records": 100},
        windows={"cohort_s": 60, "cohort_revision_s": 10},
    )
    create_topics(settings)
    log, outputs = Log(traffic(stream)), await mortal(settings)
    await log.produce(outputs)
    await outputs.stop()
    return settings, log


async def told_by_one(broker: str, directory: Path, name: str, stream: int) -> Cells:
    settings, log = await begun(broker, directory, f"{name}-one-{stream}", stream)
    owner = Owner(log, settings, "a", await mortal(settings))
    owner.begin()
    await owner.finish()
    await end(owner)
    return await cells(settings)


@pytest.mark.parametrize("stops", [False, True], ids=["killed", "stopped"])
@pytest.mark.parametrize("seeds", [SHORT, LONG], ids=["short", "long"])
async def test_whoever_counts_all_adds_up(seeds: range, stops: bool, kafka: str, tmp_path: Path) -> None:
    expected: dict[int, Cells] = {}
    kind = f"{len(seeds)}-{'stopped' if stops else 'killed'}"
    for seed in seeds:
        stream = seed % STREAMS
        if stream not in expected:
            expected[stream] = await told_by_one(kafka, tmp_path, kind, stream)
        settings, log = await begun(kafka, tmp_path, f"{kind}-{seed}", stream)
        history = History(settings, log, seed, stops)
        await history.run()
        assert await cells(settings) == expected[stream], (seed, history.said)


@pytest.mark.parametrize("first", ["predictions", "labels"])
async def test_a_side_that_is_read_horizons_before_the_other_loses_no_pair(
    first: str, kafka: str, tmp_path: Path
) -> None:
    sent = binary_traffic(1200, rate=10, late_share=0, label_delay_s=2).records
    settings = Settings(broker=kafka, topic_prefix=f"first-{first}-", data_dir=tmp_path, labels={"horizon_s": 30})
    create_topics(settings)
    log, outputs = Log(sent), await mortal(settings)
    await log.produce(outputs)
    owner = Owner(log, settings, "a", outputs)
    owner.begin()
    for topic in sorted(log.records, key=lambda name: name != first):
        while owner.source(topic).next < len(log.records[topic]):
            await owner.count(topic, 20)
    outcomes = dict(owner.ingest.counters.outcomes)
    await owner.tick()
    await end(owner)
    second = next(topic for topic in log.records if topic != first)
    ids = [{orjson.loads(record.value)["prediction_id"] for record in log.records[topic]} for topic in log.records]
    assert outcomes[second, "matched"] == len(ids[0] & ids[1]) > 200

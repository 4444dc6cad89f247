"""The simulated serving system on an embedded broker."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from app.messages import Message
from app.settings import Settings
from app.simulation.world import applications, era
from app.sources.partitioning import partitions_of
from app.timestamps import milliseconds
from app.training import tabular
from app.training.artifact import sha256_of
from streams.broker import embedded_broker
from streams.outputs import Outputs
from streams.reading import read
from streams.simulator import Simulation, Simulator
from streams.topics import partition_counts

T = 1_795_000_000_000


@pytest.fixture
def settings() -> Iterator[Settings]:
    with embedded_broker(partition_counts(Settings())) as address:
        yield Settings(broker=address)


class Told(list[dict[str, Any]]):
    """What a simulator said; tests wait for what they need."""

    def __init__(self) -> None:
        super().__init__()
        self._more = asyncio.Event()

    def say(self, event: dict[str, Any]) -> None:
        self.append(event)
        self._more.set()

    async def until(self, event: str, times: int = 1) -> dict[str, Any]:
        """The event, when it has come so many times in all."""
        async with asyncio.timeout(120):
            while len(found := [one for one in self if one["event"] == event]) < times:
                self._more.clear()
                await self._more.wait()
        return found[times - 1]

    def heard(self, event: str) -> int:
        return sum(one["event"] == event for one in self)


async def records(settings: Settings, topic: str) -> list[Any]:
    return [record async for record in read(settings.broker, topic)]


async def test_it_serves_labels_changes_and_takes_over_a_new_champion(settings: Settings, tmp_path: Path) -> None:
    told = Told()
    simulation = Simulation(rate=200, speed=5, change_s=6, again_s=1000)
    simulator = Simulator(settings, simulation, "run", lambda: T, told.say)
    serving = asyncio.create_task(simulator.run())
    changed = await told.until("changed")
    await champion(settings, tmp_path, sha="0" * 64, version="2")
    await champion(settings, tmp_path, sha=None, version="3")
    deployed = await told.until("deployed")
    await told.until("sent", times=told.heard("sent") + 3)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert (changed["era"], deployed["version"]) == ("crisis", "3")
    await check_records(settings, deployed["time_ms"])


async def check_records(settings: Settings, deployed_ms: int) -> None:
    sent = await records(settings, "predictions")
    predictions = {value["prediction_id"]: value for value in (orjson.loads(record.value) for record in sent)}
    assert len(predictions) == len(sent) > 1000
    versions = set()
    for record in sent:
        value = orjson.loads(record.value)
        assert record.key.decode() == value["prediction_id"]
        assert abs(record.timestamp - milliseconds(value["timestamp"])) <= 1
        versions.add((milliseconds(value["timestamp"]) >= deployed_ms, value["version"]))
    assert (False, "1") in versions
    assert {version for after, version in versions if after} == {"3"}
    keys = [record.key for record in sent]
    assert partitions_of(keys, 4).tolist() == [record.partition for record in sent]
    labels = [orjson.loads(record.value) for record in await records(settings, "labels")]
    assert {label["prediction_id"] for label in labels} <= predictions.keys()
    assert all(
        milliseconds(label["timestamp"]) - milliseconds(predictions[label["prediction_id"]]["timestamp"]) >= 1000
        for label in labels
    )
    readings = [orjson.loads(record.value) for record in await records(settings, "resources")]
    assert {reading["instance"] for reading in readings} == {"serving-1", "serving-2"}


async def champion(settings: Settings, directory: Path, sha: str | None, version: str) -> None:
    past = applications(np.random.default_rng(1), era(1), 500)
    path = directory / f"{version}.zip"
    tabular.save(tabular.fit("classification", past.features, past.outcomes), path)
    record = {
        "model": "credit",
        "version": version,
        "status": "champion",
        "artifact_uri": path.as_uri(),
        "artifact_sha256": sha or sha256_of(path.read_bytes()),
    }
    outputs = Outputs(settings)
    await outputs.start()
    await outputs.send([Message("model-versions", "credit", record)])
    await outputs.stop()

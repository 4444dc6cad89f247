"""Stores are opened when nobody holds them any more, and a damaged one is replaced by one that knows as much."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.joining.entries import ROW_BITS, Entry, Side, encode_entry
from app.joining.told import SIDES
from app.settings import Settings
from streams.assignment import Assignment
from streams.chunks import Floors
from streams.outputs import Outputs
from streams.rebuilding import Already
from streams.stores import Stores
from streams.ticks import encoded
from streams.topics import partition_counts, topic_name
from tests.kafka.harness import create_topics
from tests.traffic import START, binary_traffic

HOLDER = """
import sys
from pathlib import Path
from streams.joins import JoinStore
store = JoinStore(Path(sys.argv[1]), 604800.0)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
async def outputs(mock_broker: str, tmp_path: Path) -> AsyncIterator[Outputs]:
    made = Outputs(Settings(broker=mock_broker, data_dir=tmp_path))
    await made.start()
    yield made
    await made.stop()


def stores_of(outputs: Outputs, floors: Floors | None = None) -> Stores:
    assignment = Assignment(outputs.settings, floors or Floors())
    return Stores(outputs.settings, assignment, outputs, partition_counts(outputs.settings))


def pass_on(assignment: Assignment, owners: int) -> None:
    """Partition 0 has so many owners more, of whom the last one is ours."""
    for _ in range(owners):
        claims = {assignment.tp((topic, 0)): assignment.claim((topic, 0)) for topic in SIDES}
        assignment.floors.committed.update(claims)


def held(path: Path) -> "subprocess.Popen[bytes]":
    """A process that has the store open, until its input ends."""
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    return holder


async def test_a_store_that_another_process_holds_is_waited_for(outputs: Outputs) -> None:
    stores = stores_of(outputs)
    holder = held(stores._path(0))
    opening = asyncio.create_task(stores.get(0, lambda: True))
    while "another process" not in str(stores.unready.get(0)):
        assert not opening.done()
        await asyncio.sleep(0)
    holder.communicate()
    assert await opening is not None
    assert stores.unready == {}
    stores.forget()


async def test_those_that_are_begun_with_do_not_wait_for_each_other(outputs: Outputs) -> None:
    stores, partitions = stores_of(outputs), range(4)
    holders = [held(stores._path(partition)) for partition in partitions]
    assert stores.absent(partitions) == set(partitions)
    for partition in partitions:
        stores.begin(partition, lambda: True, asyncio.ensure_future)
    assert stores.absent(partitions) == set()
    while any("another process" not in str(stores.unready.get(partition)) for partition in partitions):
        assert stores.absent(partitions) == set()
        await asyncio.sleep(0)
    holders[3].communicate()
    assert await stores.get(3, lambda: True) is not None
    assert stores.unready.keys() == {0, 1, 2}
    await stores.stop()
    for holder in holders[:3]:
        holder.communicate()
    assert stores.absent(partitions) == {0, 1, 2}
    stores.forget()


async def test_it_is_not_waited_for_when_the_partition_is_lost(outputs: Outputs) -> None:
    stores, ours = stores_of(outputs), [True, False]
    holder = held(stores._path(0))
    assert await stores.get(0, lambda: bool(ours) and ours.pop(0)) is None
    holder.communicate()


async def test_a_damaged_store_is_made_anew_with_what_was_counted(outputs: Outputs) -> None:
    records = [one for one in binary_traffic(3000, partitions=4).of("predictions") if one.partition == 0]
    name = topic_name(outputs.settings, "predictions")
    for record in records:
        await outputs.producer.send(name, value=record.value, key=record.key, partition=0)
    await outputs.producer.flush()
    stores = stores_of(outputs)
    store = await stores.get(0, lambda: True)
    assert store is not None
    ids = [record.key for record in records]
    store.put([(identity, os.urandom(300)) for identity in ids])
    store.write("predictions", len(records), 1_795_176_000_000)
    await stores.renew(0, store, lambda: True, Already({"predictions": len(records) - 10, "labels": 0}))
    fresh = await stores.get(0, lambda: True)
    assert fresh is not None
    assert fresh is not store
    found = [entry is not None for entry in fresh.get(ids)]
    assert all(found[:-10])
    assert not any(found[-5:])
    assert stores._path(0).with_name("predictions-0.unusable").exists()
    stores.forget()


async def test_what_another_owner_may_have_counted_otherwise_is_not_believed(outputs: Outputs) -> None:
    """A store says that a label completed a pair. Nobody was ever told; since then others had the partition."""
    records = [one for one in binary_traffic(300, partitions=4).records if one.partition == 0]
    for record in records:
        name = topic_name(outputs.settings, record.topic)
        await outputs.producer.send(name, value=record.value, key=record.key, partition=0)
    await outputs.producer.flush()
    floors = Floors()
    assignment = Assignment(outputs.settings, floors)
    stores = Stores(outputs.settings, assignment, outputs, partition_counts(outputs.settings))
    store = await stores.get(0, lambda: True)
    assert store is not None
    ids = [record.key for record in records if record.topic == "labels"]
    store.put([(identity, encode_entry(Entry(1 << ROW_BITS, 0, 0, b"{}", Side.LABEL))) for identity in ids])
    for topic in ("predictions", "labels"):
        store.write(topic, len(records), 1_795_176_000_000)
    stores.forget()
    for owners, believed in ((1, True), (2, False)):
        pass_on(assignment, owners)
        stores = Stores(outputs.settings, assignment, outputs, partition_counts(outputs.settings))
        opened = await stores.get(0, lambda: True)
        assert opened is not None
        assert any(opened.get(ids)) == believed
        stores.forget()


class Interrupted(Outputs):
    """With the first word to all, the partition is assigned to this worker once more."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.assignment = Assignment(settings, Floors())
        self.told: list[Any] = []

    async def send_to_all(self, topic: str, value: bytes, partitions: int) -> None:
        pass_on(self.assignment, 1)
        self.told.append(orjson.loads(value)["tick"]["epochs"])
        await super().send_to_all(topic, value, partitions)


async def test_an_owner_speaks_for_itself_until_its_end(mock_broker: str, tmp_path: Path) -> None:
    """Not for the next one, which may be the same worker, and which has claimed nothing yet."""
    outputs = Interrupted(Settings(broker=mock_broker, data_dir=tmp_path))
    await outputs.start()
    stores = Stores(outputs.settings, outputs.assignment, outputs, partition_counts(outputs.settings))
    outputs.assignment.floors.committed[outputs.assignment.tp(("labels", 0))] = 5, ""
    epochs = {topic: outputs.assignment.epoch((topic, 0)) for topic in SIDES}
    store = await stores.get(0, lambda: True)
    assert store is not None
    assert outputs.told == [[[topic, 0, epoch] for topic, epoch in epochs.items()]] * 2
    assert store.owners == epochs
    stores.forget()
    await outputs.stop()


@pytest.mark.kafka
async def test_made_anew_again_it_holds_the_same(kafka: str, tmp_path: Path) -> None:
    """How far time had come at a row must not be taken from rows that lie above the commits."""
    settings = Settings(broker=kafka, topic_prefix="anew-", data_dir=tmp_path)
    create_topics(settings)
    outputs = Outputs(settings)
    await outputs.start()
    records = [one for one in binary_traffic(400, partitions=4, rate=20).records if one.partition == 0]
    for record in records:
        name = topic_name(outputs.settings, record.topic)
        await outputs.producer.send(name, value=record.value, key=record.key, partition=0)
    floors = Floors()
    assignment = Assignment(outputs.settings, floors)
    lines = [[topic, 0, sum(record.topic == topic for record in records), None, False] for topic in SIDES]
    epochs = {(topic, 0): assignment.epoch((topic, 0)) for topic in SIDES}
    await outputs.send_to_all("panes", encoded(lines, epochs, {}), 4)
    ids = sorted({record.key for record in records})
    held = []
    for owners in (1, 2, 2):
        pass_on(assignment, owners)
        stores = Stores(outputs.settings, assignment, outputs, partition_counts(Settings()))
        store = await stores.get(0, lambda: True)
        assert store is not None
        held.append(store.get(ids))
        assert store.watermark("predictions") is None
        for topic in SIDES:  # which may drop old entries
            store.write(topic, 0, START)
            store.write(topic, 0, None)
        assert store.get(ids) == held[-1]
        stores.forget()
    assert all(held[0])
    assert held[0] == held[1] == held[2]
    await outputs.stop()

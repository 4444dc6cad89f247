"""Real processes on a real broker: topics, a producer, workers that can be killed, and what they published."""

import asyncio
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from app.settings import Settings
from streams.topicadmin import TopicAdmin
from streams.topics import plans, topic_name
from tests.traffic import Sent

PATIENCE_S = 120.0


class Running(Protocol):
    """A worker, or several: whether all that should run do, and what they last said."""

    def alive(self) -> bool: ...

    def said(self) -> str: ...


class NotEnough(AssertionError):
    """What was waited for did not come."""


class WorkerProcess:
    """`inferwatch worker` with a configuration file of its own."""

    def __init__(self, directory: Path, settings: Settings, name: str = "worker", command: str = "worker") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.log = directory / f"{name}.log"
        self.config = directory / f"{name}.yaml"
        self.config.write_bytes(orjson.dumps(settings.model_dump(mode="json", exclude_none=True)))
        self.command = command
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "WorkerProcess":
        command = [str(Path(sys.executable).with_name("inferwatch")), "--config", str(self.config), self.command]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=dict(os.environ)
            )
        return self

    def kill(self) -> None:
        """`kill -9`."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; gives the exit code."""
        assert self.process is not None
        self.process.terminate()
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def __enter__(self) -> "WorkerProcess":
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def said(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]


def free_port() -> int:
    """Below the ephemeral range, where a client's end of a connection can take the port while a worker restarts."""
    for port in random.sample(range(12_000, 20_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port")


def create_topics(settings: Settings) -> None:
    TopicAdmin(settings.broker).create(plans(settings))


async def produce(settings: Settings, records: Iterable[Sent]) -> None:
    """Sends all in their order."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.broker, acks="all", compression_type="lz4", linger_ms=5)
    await producer.start()
    try:
        pending = []
        for record in records:
            pending.append(await producer.send(topic_name(settings, record.topic), value=record.value, key=record.key))
            if len(pending) == 2000:
                await asyncio.gather(*pending)
                pending.clear()
        await asyncio.gather(*pending)
    finally:
        await producer.stop()


async def grown(settings: Settings, topic: str, records: int, worker: Running) -> None:
    """Waits until `topic` has that many records more than now."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.broker)
    await consumer.start()
    try:
        partitions = _partitions(settings, topic)

        async def count() -> int:
            return sum((await consumer.end_offsets(partitions)).values())

        await _more(records, count, worker, f"{topic} did not grow by {records}")
    finally:
        await consumer.stop()


async def committed(settings: Settings, topic: str, records: int, worker: Running) -> None:
    """Waits until that many records more of `topic` are committed than now."""
    group = f"{settings.topic_prefix}inferwatch"
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.broker, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = _partitions(settings, topic)
        consumer.assign(partitions)

        async def count() -> int:
            return sum([await consumer.committed(partition) or 0 for partition in partitions])

        await _more(records, count, worker, f"of {topic} no {records} records were committed")
    finally:
        await consumer.stop()


def _partitions(settings: Settings, topic: str) -> list[TopicPartition]:
    facts = TopicAdmin(settings.broker).facts([topic_name(settings, topic)])
    return [TopicPartition(name, number) for name, fact in facts.items() for number in range(fact.partitions)]


async def _more(records: int, count: Callable[[], Awaitable[int]], worker: Running, missed: str) -> None:
    """Waits until `count` gives that many more than now. Raises NotEnough with what was `missed`."""
    first, deadline = await count(), time.monotonic() + PATIENCE_S
    while await count() < first + records:
        if not worker.alive() or time.monotonic() > deadline:
            raise NotEnough(f"{missed}: {worker.said()}")


class Published:
    """Follows output topics from their beginning; everything is kept, in the order of each partition."""

    def __init__(self, settings: Settings, *topics: str) -> None:
        self.settings = settings
        self.logical = {topic_name(settings, topic): topic for topic in topics}
        self.records: dict[str, list[dict[str, Any]]] = {topic: [] for topic in topics}

    async def until(self, enough: Callable[["Published"], bool], worker: Running | None = None) -> None:
        """Reads on until `enough`. Fails when the worker dies, or nothing helps for `PATIENCE_S`."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.settings.broker, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            for topic in self.records:
                self.records[topic].clear()
            consumer.assign(await self._partitions(consumer))
            await consumer.seek_to_beginning()
            deadline = time.monotonic() + PATIENCE_S
            while not enough(self):
                for tp, records in (await consumer.getmany(timeout_ms=300)).items():
                    self.records[self.logical[tp.topic]] += [orjson.loads(r.value) for r in records if r.value]
                if worker is not None and not worker.alive():
                    raise NotEnough(f"the worker ended: {worker.said()}")
                if time.monotonic() > deadline:
                    told = {topic: len(records) for topic, records in self.records.items()}
                    raise NotEnough(f"not enough after {PATIENCE_S:g} s: {told}\n{worker.said() if worker else ''}")
        finally:
            await consumer.stop()

    async def until_all_windows(self, predictions: int, labels: int, windows: int, worker: Running) -> None:
        """Until there are so many tumbling windows, and those of all traffic count so much together."""

        def all_there(seen: "Published") -> bool:
            made = seen.records["windows"]
            return (
                counted(made, "predictions") >= predictions
                and counted(made, "labels") >= labels
                and len({window["window_id"] for window in tumbling(made)}) >= windows
            )

        await self.until(all_there, worker)

    async def _partitions(self, consumer: AIOKafkaConsumer) -> list[TopicPartition]:
        facts = TopicAdmin(self.settings.broker).facts(self.logical)
        return [TopicPartition(name, number) for name, fact in facts.items() for number in range(fact.partitions)]


def tumbling(windows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [window for window in windows if window["kind"] == "tumbling"]


def counted(windows: Sequence[dict[str, Any]], field: str) -> int:
    """`field` over all tumbling windows of all traffic, each window once."""
    by_id = {window["window_id"]: window for window in tumbling(windows) if window["segment"] == {}}
    return sum(window[field] for window in by_id.values())

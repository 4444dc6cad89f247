"""Producers that hash keys otherwise: their records are sent on, and every window is as if they had not."""

import asyncio
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord

from app.settings import Settings
from app.sources.partitioning import partitions_of
from streams.misrouted import HEADER
from streams.reading import read
from streams.topics import topic_name
from tests.kafka.harness import Published, WorkerProcess, counted, create_topics, grown, tumbling
from tests.kafka.test_exactness import MINUTE, settings_for
from tests.traffic import START, Sent, binary_traffic
from tests.truth import differences, expected_windows

pytestmark = pytest.mark.kafka
PARTITIONS = 4
BATCHES, ROWS = 40, 25
UNJOINED = 400
TOPICS = ("predictions", "labels")


def by_crc(key: bytes) -> int:
    """librdkafka's `consistent`."""
    return zlib.crc32(key) % PARTITIONS


def misplaced(records: Iterable[Sent]) -> list[Sent]:
    """All labels and the predictions of every other key are of producers that hash by CRC32."""
    return [
        replace(record, partition=by_crc(record.key))
        if record.topic == "labels" or zlib.crc32(record.key) // PARTITIONS % 2
        else record
        for record in records
    ]


def batches() -> Iterator[Sent]:
    """Batches in columns, keyed as their producer likes: the predictions where they belong, the labels not."""
    for number in range(BATCHES):
        key = b"nightly-%d" % number
        ids = [f"b{number}-{row}" for row in range(ROWS)]
        when = START + number * 1000
        rows = {"prediction_ids": ids, "model": "batched", "version": "1", "timestamp": when, "features": {}}
        labels = {"prediction_ids": ids, "labels": ["no"] * ROWS, "timestamp": when + 5000}
        home = int(partitions_of([key], PARTITIONS)[0])
        yield Sent(
            number * 100, "predictions", home, key, orjson.dumps(rows | {"predictions": ["yes", "no"] * 12 + ["no"]})
        )
        yield Sent(number * 100 + 50, "labels", (home + 1) % PARTITIONS, key, orjson.dumps(labels))


def unjoined() -> Iterator[Sent]:
    """Of a model whose predictions wait for no label, each in a partition that is not its key's."""
    for number in range(UNJOINED):
        key = b"u%d" % number
        event = {"prediction_id": key.decode(), "model": "free", "version": "1", "timestamp": START + number * 100}
        wrong = (int(partitions_of([key], PARTITIONS)[0]) + 1) % PARTITIONS
        yield Sent(number * 10, "predictions", wrong, key, orjson.dumps(event | {"prediction": "yes"}))


async def produce_placed(settings: Settings, records: Iterable[Sent]) -> None:
    """Sends each to the partition that it names."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.broker, acks="all", compression_type="lz4", linger_ms=5)
    await producer.start()
    try:
        pending = [
            await producer.send(topic_name(settings, one.topic), value=one.value, key=one.key, partition=one.partition)
            for one in sorted(records, key=lambda record: record.order)
        ]
        await asyncio.gather(*pending)
    finally:
        await producer.stop()


async def log_of(settings: Settings, topic: str) -> dict[tuple[int, int], ConsumerRecord]:
    return {(one.partition, one.offset): one async for one in read(settings.broker, topic_name(settings, topic))}


def copies_of(log: dict[tuple[int, int], ConsumerRecord]) -> dict[tuple[int, int], list[ConsumerRecord]]:
    """By where they were found: the copies, each checked against its original."""
    found: dict[tuple[int, int], list[ConsumerRecord]] = defaultdict(list)
    for one in log.values():
        for name, value in one.headers:
            assert name == HEADER
            partition, offset = map(int, value.split(b"/"))
            original = log[partition, offset]
            assert (one.key, one.value, one.timestamp) == (original.key, original.value, original.timestamp)
            assert not original.headers
            found[partition, offset].append(one)
    return found


def model_windows(windows: list[dict[str, Any]], model: str) -> list[dict[str, Any]]:
    return [window for window in tumbling(windows) if window["model"] == model]


async def test_misrouted_records_count_once_whatever_kills_the_worker_that_sends_them_on(
    kafka: str, tmp_path: Path
) -> None:
    # What is sent on comes after all that was there before: it must not be late, to be compared with the whole truth.
    settings = settings_for(
        kafka,
        tmp_path,
        "misrouted",
        windows={"allowed_lateness_s": 86_400, "idle_after_s": 5},
        labels={"forward_misrouted": True},
        models={"free": {"join": False}},
    )
    create_topics(settings)
    traffic = binary_traffic(40_000, rate=1000, seed=11)
    placed = misplaced(traffic.records)
    sent = [*placed, *batches(), *unjoined()]
    await produce_placed(settings, sent)
    expected = expected_windows(traffic.of("predictions"), traffic.of("labels"), settings.windows, MINUTE)
    whole = [window for (_, segment, _), window in expected.items() if segment == "{}"]
    predictions = sum(window["predictions"] for window in whole) + BATCHES * ROWS + UNJOINED
    labels = sum(window["labels"] for window in whole) + BATCHES * ROWS
    published = Published(settings, "windows")
    with WorkerProcess(tmp_path, settings) as worker:
        for topic in ("labels", "predictions", "labels"):
            await grown(settings, topic, 3000, worker)
            worker.kill()
            worker.start()
        await published.until(
            lambda seen: (
                counted(seen.records["windows"], "predictions") >= predictions
                and counted(seen.records["windows"], "labels") >= labels
                and len(model_windows(seen.records["windows"], "credit")) >= len(expected)
            ),
            worker,
        )
        assert worker.stop() == 0
        said = worker.log.read_text()
    windows = published.records["windows"]
    assert differences(model_windows(windows, "credit"), expected) == []
    assert counted(model_windows(windows, "batched"), "labels") == BATCHES * ROWS
    assert counted(model_windows(windows, "free"), "predictions") == UNJOINED
    repeated = 0
    for topic in TOPICS:
        copies = copies_of(await log_of(settings, topic))
        keys = Counter(one.key for found in copies.values() for one in found[:1])
        assert keys == Counter(key for key in astray(sent, topic) if not key.startswith(b"u"))
        assert all(where.partition == home(where.key) for found in copies.values() for where in found)
        repeated += sum(len(found) - 1 for found in copies.values())
    assert repeated > 0, "no kill came between a record that was sent on and its commit"
    assert "partitioner=murmur2_random" in said


def home(key: bytes) -> int:
    return int(partitions_of([key], PARTITIONS)[0])


def astray(sent: Iterable[Sent], topic: str) -> Iterator[bytes]:
    records = [record for record in sent if record.topic == topic]
    right = partitions_of([record.key for record in records], PARTITIONS)
    for record, partition in zip(records, right.tolist(), strict=True):
        if record.partition != partition:
            yield record.key

"""Records in another partition than their key's: told, sent on, and left alone where that is right."""

import logging
from typing import Any

import orjson
import pytest
from aiokafka import ConsumerRecord

from app.decoding.chunks import RawChunk
from app.settings import Settings
from app.sources.partitioning import partitions_of
from app.sources.passed import Passed
from streams.counters import Counters
from streams.misrouted import HEADER, Misrouted, staying
from streams.outputs import Outputs
from streams.reading import read
from streams.records import Records

PARTITIONS = 4
NOW = 1_795_176_000_000
HERE = 1


def key_of(home: int) -> bytes:
    return next(key for key in (b"k%d" % i for i in range(1000)) if partitions_of([key], PARTITIONS)[0] == home)


ELSEWHERE = key_of(3)
PREDICTION = {"prediction_id": "p", "model": "credit", "version": "1", "timestamp": NOW, "prediction": "yes"}
BATCH = {
    "prediction_ids": ["a", "b"],
    "model": "credit",
    "version": "1",
    "timestamps": [NOW, NOW + 500],
    "predictions": ["yes", "no"],
}


def record(offset: int, key: bytes | None, value: Any, topic: str = "predictions", headers: Any = ()) -> ConsumerRecord:
    content = value if isinstance(value, bytes | None) else orjson.dumps(value)
    return ConsumerRecord(topic, HERE, offset, NOW + offset, 0, key, content, None, 0, 0, tuple(headers))


class Hours:
    """A clock that is moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now * 3600


def settings_for(broker: str, forward: bool = True) -> Settings:
    return Settings(broker=broker, labels={"forward_misrouted": forward}, models={"free": {"join": False}})


async def passed_on(settings: Settings, records: list[ConsumerRecord]) -> tuple[Passed, RawChunk, Counters]:
    outputs, counters = Outputs(settings), Counters()
    await outputs.start()
    try:
        source, fetched = (records[0].topic, HERE), Records.of(records)
        passed = await Misrouted(settings, outputs, counters, PARTITIONS).pass_on(source, fetched)
        return passed, staying(fetched.raw, passed), counters
    finally:
        await outputs.stop()


async def test_what_is_joined_is_sent_on_as_it_is_and_says_where_it_was(mock_broker: str) -> None:
    settings = settings_for(mock_broker)
    records = [
        record(10, key_of(HERE), PREDICTION),
        record(11, ELSEWHERE, PREDICTION, headers=[("trace", b"t1")]),
        record(12, ELSEWHERE, BATCH),
        record(13, None, PREDICTION),
        record(14, ELSEWHERE, PREDICTION | {"model": "free"}),
        record(15, ELSEWHERE, b"{"),
        record(16, ELSEWHERE, None),
        record(17, ELSEWHERE, PREDICTION, headers=[(HEADER, b"2/5")]),
    ]
    passed, stays, counters = await passed_on(settings, records)
    assert passed.offsets.tolist() == [11, 12, 12]
    assert passed.times.tolist() == [NOW, NOW, NOW + 500]
    assert stays.offsets.tolist() == [10, 13, 14, 15, 16, 17]
    assert stays.values == [records[offset - 10].value for offset in stays.offsets.tolist()]
    assert counters.misrouted == {"predictions": 6}
    found = [one async for one in read(mock_broker, "predictions")]
    assert [(one.partition, one.key, one.value, one.timestamp) for one in found] == [
        (3, ELSEWHERE, records[offset - 10].value, NOW + offset) for offset in (11, 12)
    ]
    assert [one.headers for one in found] == [(("trace", b"t1"), (HEADER, b"1/11")), ((HEADER, b"1/12"),)]


async def test_labels_are_sent_on_alone_and_in_batches(mock_broker: str) -> None:
    records = [
        record(0, ELSEWHERE, {"prediction_id": "p", "label": "yes"}, "labels"),
        record(1, ELSEWHERE, {"prediction_ids": ["a", "b"], "labels": ["yes", "no"], "timestamp": NOW}, "labels"),
        record(2, ELSEWHERE, {"prediction_id": "p"}, "labels"),
    ]
    passed, stays, _ = await passed_on(settings_for(mock_broker), records)
    assert passed.offsets.tolist() == [0, 1, 1]
    assert stays.offsets.tolist() == [2]
    assert len([one async for one in read(mock_broker, "labels")]) == 2


@pytest.mark.parametrize("topic", ["predictions", "resources"])
async def test_without_the_setting_all_is_counted_where_it_lies(mock_broker: str, topic: str) -> None:
    records = [record(0, ELSEWHERE, PREDICTION, topic)]
    passed, stays, counters = await passed_on(settings_for(mock_broker, forward=False), records)
    assert len(passed.offsets) == 0
    assert stays.offsets.tolist() == [0]
    assert counters.misrouted == ({"predictions": 1} if topic == "predictions" else {})
    assert [one async for one in read(mock_broker, topic)] == []


async def test_the_log_says_it_once_an_hour_and_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    settings, clock = settings_for("localhost:1", forward=False), Hours()
    misrouted = Misrouted(settings, Outputs(settings), Counters(), PARTITIONS, clock)

    async def come(hour: float, *values: Any) -> list[str]:
        clock.now = hour
        caplog.clear()
        records = [record(place, ELSEWHERE, value) for place, value in enumerate(values)]
        await misrouted.pass_on(("predictions", HERE), Records.of(records))
        return caplog.messages

    with caplog.at_level(logging.WARNING):
        # Where nothing is joined the partition is of no importance.
        assert await come(0, PREDICTION | {"model": "free"}) == []
        told = await come(0.1, PREDICTION, PREDICTION)
        assert len(told) == 1
        assert told[0].startswith("predictions: 3 records lie in another partition than their key's")
        assert "partitioner=murmur2_random" in told[0]
        assert "labels.forward_misrouted: true" in told[0]
        assert await come(1.0, PREDICTION) == []
        assert (await come(1.2, PREDICTION))[0].startswith("predictions: 2 more records")

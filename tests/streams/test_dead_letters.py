"""`inferwatch dead-letters` on the embedded broker: what is told, and what is on the topics after a replay."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import ConsumerRecord
from aiokafka.partitioner import DefaultPartitioner

from app.decoding.chunks import RawChunk, Reject
from app.decoding.decode import decode_predictions
from app.decoding.label_rows import decode_labels
from app.decoding.resource_rows import decode_resources
from app.letters.deadletters import Ledger, Wanted
from app.messages import Message
from app.settings import Settings
from streams.cli import run
from streams.counting import LARGEST_DEAD_LETTER, dead_letter
from streams.deadletters import TOPIC, extent, take_stock
from streams.outputs import Outputs
from streams.reading import read
from streams.redelivery import Redelivery

NOW = time.time_ns() // 1_000_000
GOOD: dict[str, Any] = {
    "prediction_id": "7c1e",
    "model": "credit",
    "version": "3",
    "timestamp": NOW,
    "prediction": "approve",
}
MENDING = """
def name_model(record):
    return record | {"model": "credit"} if isinstance(record, dict) and record.get("model") == 17 else None

def close(record):
    return record + b"}" if isinstance(record, bytes) else None

def fail(record):
    return record["no such field"]

def wrong(record):
    return 17
"""


def no_progress(_: int) -> None:
    """Nobody watches."""


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in GOOD.items() if name not in names}


def refused(topic: str, values: Sequence[Any], at_ms: int = NOW, first: int = 0) -> list[Message]:
    """The letters that a worker writes about these records, of partition 2."""
    import numpy as np

    raw = [value if value is None or isinstance(value, bytes) else orjson.dumps(value) for value in values]
    chunk = RawChunk(np.arange(first, first + len(raw)), np.full(len(raw), at_ms), [None] * len(raw), raw)
    rejects: list[Reject] = {
        "predictions": lambda: decode_predictions(chunk, Settings()).rejects,
        "labels": lambda: decode_labels(chunk, 300_000).rejects,
        "resources": lambda: decode_resources(chunk, 300_000).rejects,
    }[topic]()
    return [dead_letter((topic, 2), chunk, reject) for reject in sorted(rejects)]


async def send(settings: Settings, letters: Sequence[Message]) -> None:
    outputs = Outputs(settings)
    await outputs.start()
    try:
        await outputs.send(letters)
    finally:
        await outputs.stop()


def published(broker: str, letters: Sequence[Message]) -> None:
    asyncio.run(send(Settings(broker=broker), letters))


async def all_of(broker: str, topic: str) -> list[ConsumerRecord]:
    return [record async for record in read(broker, topic)]


def on_topic(broker: str, topic: str) -> list[ConsumerRecord]:
    return asyncio.run(all_of(broker, topic))


def values(records: Sequence[ConsumerRecord]) -> list[Any]:
    return [orjson.loads(record.value) for record in records]


@pytest.fixture
def broker(mock_broker: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """An embedded broker that commands find, in a directory with a module that mends."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("INFERWATCH_BROKER", mock_broker)
    (tmp_path / f"{tmp_path.name}.py").write_text(MENDING)
    return mock_broker


@pytest.fixture
def mending(tmp_path: Path) -> str:
    return tmp_path.name


DAMAGED = [
    GOOD | {"model": 17, "prediction_id": "a"},
    orjson.dumps(GOOD | {"prediction_id": "b"})[:-1],
    GOOD | {"model": 17, "prediction_id": "c"},
    b"\xff\x00\xfe",
]


def test_letters_are_listed_by_reason(broker: str, capsys: pytest.CaptureFixture[str]) -> None:
    published(broker, refused("predictions", DAMAGED))
    published(broker, refused("labels", [{"prediction_id": "a"}], NOW - 60_000))
    assert run(["dead-letters", "list", "--json"]) == 0
    told = orjson.loads(capsys.readouterr().out)
    assert (told["letters"], told["replayed"], told["unreadable"]) == (5, 0, 0)
    groups = {group["reason"]: group for group in told["reasons"]}
    assert {reason: group["letters"] for reason, group in groups.items()} == {
        "schema": 2,
        "not_json": 2,
        "missing_label": 1,
    }
    assert groups["schema"]["topics"] == {"predictions": 2}
    assert orjson.loads(groups["schema"]["sample"]["text"])["prediction_id"] == "c"
    assert groups["not_json"]["sample"]["text"] is None
    assert groups["missing_label"]["first"] < groups["schema"]["first"]
    assert run(["dead-letters", "list"]) == 0
    out = capsys.readouterr().out
    assert "schema: 2 letters (predictions 2)" in out
    assert f"{groups['schema']['sample']['id']}: Expected `str`, got `int`" in out
    assert r"\xff\x00\xfe" in out


@pytest.mark.parametrize(
    ("narrowed", "count"),
    [
        (["--reason", "schema"], 2),
        (["--reason", "schema", "--reason", "not_json"], 4),
        (["--topic", "labels"], 1),
        (["--topic", "labels", "--reason", "schema"], 0),
        (["--since", "30s"], 4),
        (["--since", "2h"], 5),
        (["--since", "2020-01-01T00:00:00Z"], 5),
    ],
)
def test_a_part_is_listed(broker: str, capsys: pytest.CaptureFixture[str], narrowed: list[str], count: int) -> None:
    now = time.time_ns() // 1_000_000
    published(broker, refused("predictions", DAMAGED, now))
    published(broker, refused("labels", [{"prediction_id": "a"}], now - 60_000))
    assert run(["dead-letters", "list", "--json", *narrowed]) == 0
    assert orjson.loads(capsys.readouterr().out)["letters"] == count


def test_what_a_worker_wrote_twice_is_one_letter(broker: str, capsys: pytest.CaptureFixture[str]) -> None:
    published(broker, refused("predictions", DAMAGED) * 2)
    assert run(["dead-letters", "list", "--json"]) == 0
    assert orjson.loads(capsys.readouterr().out)["letters"] == 4


def test_without_letters_it_says_so(broker: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["dead-letters", "list"]) == 0
    assert f"No dead letters on {broker}." in capsys.readouterr().out
    assert run(["dead-letters", "list", "--reason", "schema"]) == 0
    assert f"No dead letters that match on {broker}." in capsys.readouterr().out
    assert run(["dead-letters", "replay"]) == 0
    assert f"Nothing to replay on {broker}." in capsys.readouterr().out


def test_a_letter_is_shown_whole(broker: str, capsys: pytest.CaptureFixture[str]) -> None:
    published(broker, refused("predictions", DAMAGED))
    places = {record.offset: record for record in on_topic(broker, TOPIC)}
    partition = places[0].partition
    assert run(["dead-letters", "show", str(partition), "0"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{partition}/0: schema: Expected `str`, got `int`")
    assert "predictions, partition 2, offset 0, 20" in out
    assert '  "prediction_id": "a",' in out
    assert run(["dead-letters", "show", f"{partition}/1"]) == 0
    assert '"prediction_id":"b"' in capsys.readouterr().out
    assert run(["dead-letters", "show", f"{partition}/3"]) == 0
    assert "000000  ff 00 fe" in capsys.readouterr().out
    assert run(["dead-letters", "show", f"{partition}/4"]) == 1
    assert f"No dead letter is at {partition}/4" in capsys.readouterr().err


def test_letters_are_mended_and_sent_once_each_to_the_partition_of_its_key(
    broker: str, mending: str, capsys: pytest.CaptureFixture[str]
) -> None:
    published(broker, refused("predictions", DAMAGED) * 2)
    command = ["dead-letters", "replay", "--yes", "--with", f"{mending}:name_model"]
    assert run(command) == 0
    out = capsys.readouterr().out
    assert f"Sent on {broker}: 2 to predictions." in out
    assert "Not sent: 2 (left by the transform)." in out
    records = on_topic(broker, "predictions")
    partitioner = DefaultPartitioner()
    assert {record.key: record.partition for record in records} == {
        key: partitioner(key, [0, 1, 2, 3], [0, 1, 2, 3]) for key in (b"a", b"c")
    }
    assert sorted(values(records), key=lambda value: value["prediction_id"]) == [
        GOOD | {"prediction_id": name} for name in ("a", "c")
    ]
    assert {record.headers for record in records} == {
        (("dead-letter", b"predictions/2/0"),),
        (("dead-letter", b"predictions/2/2"),),
    }
    assert run(command) == 0
    assert f"Sent on {broker}: nothing." in capsys.readouterr().out
    assert run(["dead-letters", "replay", "--yes", "--reason", "not_json", "--with", f"{mending}:close"]) == 0
    assert "1 to predictions" in capsys.readouterr().out
    assert len(on_topic(broker, "predictions")) == 3
    assert run(["dead-letters", "list", "--json"]) == 0
    told = orjson.loads(capsys.readouterr().out)
    assert {group["reason"]: (group["letters"], group["replayed"]) for group in told["reasons"]} == {
        "schema": (2, 2),
        "not_json": (2, 1),
    }


def test_what_would_be_refused_again_is_not_sent(broker: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A time that was ahead of the clock is in the past by now; other faults are as they were."""
    early = refused("predictions", [GOOD], NOW - 3_600_000)
    assert early[0].value["reason"] == "timestamp_ahead"
    published(broker, early + refused("predictions", DAMAGED, first=1))
    assert run(["dead-letters", "replay", "--yes"]) == 0
    out = capsys.readouterr().out
    assert "1 to predictions" in out
    assert "2 (still refused: schema)" in out
    assert "2 (still refused: not_json)" in out
    assert values(on_topic(broker, "predictions")) == [GOOD]


def test_of_a_very_large_record_there_is_not_enough(broker: str, capsys: pytest.CaptureFixture[str]) -> None:
    large = orjson.dumps(GOOD | {"timestamp": NOW, "note": "x" * LARGEST_DEAD_LETTER})
    published(broker, refused("predictions", [large], NOW - 3_600_000))
    assert run(["dead-letters", "replay", "--yes"]) == 0
    assert "1 (cut: the letter has only the beginning of the record)" in capsys.readouterr().out
    partition = on_topic(broker, TOPIC)[0].partition
    assert run(["dead-letters", "show", f"{partition}/0"]) == 0
    assert "it is cut and can not be replayed" in capsys.readouterr().out


def test_each_topic_has_its_own_key(broker: str) -> None:
    hour = 3_600_000
    named = {"model": "credit", "version": "3", "timestamp": NOW}
    batch = named | {"prediction_ids": ["x", "y"], "predictions": ["a", "b"]}
    label = {"prediction_id": "7c1e", "label": "approve", "timestamp": NOW}
    reading = named | {"instance": "i", "cpu_percent": 3.0}
    letters = [
        letter
        for topic, value in (("predictions", batch), ("labels", label), ("resources", reading))
        for letter in refused(topic, [value], NOW - hour)
    ]
    assert len(letters) == 3
    published(broker, letters)
    assert run(["dead-letters", "replay", "--yes"]) == 0
    [record] = on_topic(broker, "predictions")
    assert (record.key, record.partition) == (None, 2)
    assert [record.key for record in on_topic(broker, "labels")] == [b"7c1e"]
    assert [record.key for record in on_topic(broker, "resources")] == [b"credit"]


def test_a_label_without_a_time_keeps_that_of_its_first_record(broker: str, tmp_path: Path) -> None:
    (tmp_path / f"{tmp_path.name}_label.py").write_text("def mend(record):\n    return record | {'label': 'approve'}\n")
    published(broker, refused("labels", [{"prediction_id": "7c1e"}], 1_795_176_000_123 - 86_400_000))
    assert run(["dead-letters", "replay", "--yes", "--with", f"{tmp_path.name}_label:mend"]) == 0
    [label] = values(on_topic(broker, "labels"))
    assert label == {"prediction_id": "7c1e", "label": "approve", "timestamp": "2026-11-19T12:00:00.123Z"}


def test_nothing_is_sent_to_try_it_or_without_consent(
    broker: str, mending: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    published(broker, refused("predictions", DAMAGED))
    with_ = ["--with", f"{mending}:name_model"]
    assert run(["dead-letters", "replay", "--dry-run", *with_]) == 0
    out = capsys.readouterr().out
    assert 'predictions a {"prediction_id":"a"' in out
    assert f"Would send on {broker}: 2 to predictions." in out
    monkeypatch.setattr("sys.stdin", (Path.cwd() / "answer").open("w+"))
    assert run(["dead-letters", "replay", *with_]) == 130
    assert "Replay 4 dead letters" in capsys.readouterr().out
    assert on_topic(broker, "predictions") == []
    assert len(on_topic(broker, TOPIC)) == 4


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["replay", "--with", "mend"], "should look like package.module:function"),
        (["replay", "--with", "no.such:thing"], "ModuleNotFoundError: No module named 'no'"),
        (["replay", "--with", "json:nothing"], "AttributeError"),
        (["replay", "--with", "sys:path"], "path is no function"),
        (["replay", "--yes", "--with", "MENDING:fail"], "KeyError: 'no such field' ("),
        (["replay", "--yes", "--with", "MENDING:wrong"], "it gave int for letter"),
        (["list", "--since", "yesterday"], "--since: "),
        (["show", "first"], "no letter is called 'first'"),
        (["show", "1/2", "3"], "no letter is called '1/2 3'"),
    ],
)
def test_a_wrong_call_is_one_line(
    broker: str, mending: str, capsys: pytest.CaptureFixture[str], arguments: list[str], why: str
) -> None:
    published(broker, refused("predictions", DAMAGED))
    assert run(["dead-letters", *[word.replace("MENDING", mending) for word in arguments]]) == 2
    err = capsys.readouterr().err
    assert why in err
    assert len(err.splitlines()) == 1
    assert on_topic(broker, "predictions") == []


class Dying(Redelivery):
    """Ends as by a power cut: after so many of its sends, before or after the last of them has arrived."""

    sends = 0
    arrives = False

    async def _acknowledged(self, records: Sequence[dict[str, Any]]) -> list[tuple[int, int]]:
        self.sends -= 1
        if self.sends < 0 and not self.arrives:
            raise InterruptedError
        places = await super()._acknowledged(records)
        if self.sends < 0:
            raise InterruptedError
        return places


@pytest.mark.parametrize("arrives", [False, True])
@pytest.mark.parametrize("sends", range(6))
async def test_what_died_on_the_way_is_finished_by_the_next(
    mock_broker: str, monkeypatch: pytest.MonkeyPatch, sends: int, arrives: bool
) -> None:
    monkeypatch.setattr("streams.redelivery.TOGETHER", 3)
    settings = Settings(broker=mock_broker)
    events = [GOOD | {"prediction_id": f"p{number}"} for number in range(6)]
    await send(settings, refused("predictions", events, NOW - 3_600_000))
    with pytest.raises(InterruptedError):
        await replay(settings, Dying, sends, arrives)
    second = await replay(settings, Redelivery)
    assert len(await all_of(mock_broker, "predictions")) == 6
    assert second.done.sent.total() + second.done.found == 6 - 3 * ((sends + arrives) // 3)
    third = await replay(settings, Redelivery)
    assert (third.done.sent.total(), third.done.found) == (0, 0)
    found = await all_of(mock_broker, "predictions")
    assert sorted(value["prediction_id"] for value in values(found)) == [f"p{number}" for number in range(6)]


async def replay(settings: Settings, kind: type[Redelivery], sends: int = 0, arrives: bool = False) -> Redelivery:
    ranges = await extent(settings, TOPIC, 4)
    ledger = Ledger(Wanted())
    await take_stock(settings, ranges, ledger, no_progress)
    partitions = dict.fromkeys(("predictions", "labels", "resources", "retraining-requests", TOPIC), 4)
    redelivery = kind(settings, partitions, ledger, None, dry=False)
    if isinstance(redelivery, Dying):
        redelivery.sends, redelivery.arrives = sends, arrives
    await redelivery.run(ranges, no_progress)
    return redelivery

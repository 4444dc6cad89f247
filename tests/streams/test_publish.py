"""`inferwatch publish` on the embedded broker: what is on the topics afterwards, and what the user is told."""

import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka.partitioner import DefaultPartitioner
from confluent_kafka import Consumer, TopicPartition

from app.timestamps import milliseconds, rfc3339
from streams.cli import run

COLUMNS = "prediction_id,timestamp,prediction,label,label_timestamp,income\n"


def sent(address: str, topic: str) -> list[tuple[int, bytes, dict[str, Any]]]:
    """(partition, key, value) of everything on the topic."""
    consumer = Consumer({"bootstrap.servers": address, "group.id": "none", "enable.partition.eof": True})
    partitions = list(consumer.list_topics(topic, timeout=10).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
    found: list[tuple[int, bytes, dict[str, Any]]] = []
    ended = 0
    while ended < len(partitions):
        message = consumer.poll(10)
        assert message is not None
        if message.error():
            ended += 1
        else:
            found.append((message.partition(), message.key(), orjson.loads(message.value())))
    consumer.close()
    return found


@pytest.fixture
def broker(mock_broker: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """An embedded broker that commands find, in a directory without configuration."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INFERWATCH_BROKER", mock_broker)
    return mock_broker


def history(path: Path, rows: int) -> Path:
    """`rows` predictions a second apart, not in order, each third one with a label an hour later."""
    lines = []
    for row in range(rows):
        at = 1_763_640_000_000 + (row * 7919) % rows * 1000
        label = f"{row % 2},{rfc3339(at + 3_600_000)}" if row % 3 == 0 else ","
        lines.append(f"id-{row},{rfc3339(at)},{row % 2},{label},{row * 1.5}\n")
    path.write_text(COLUMNS + "".join(lines))
    return path


def test_each_row_is_sent_once_to_the_partition_of_its_key(broker: str, tmp_path: Path) -> None:
    file = history(tmp_path / "history.csv", 3000)
    assert run(["publish", str(file), "--model", "credit"]) == 0
    partitioner = DefaultPartitioner()
    for topic, count in (("predictions", 3000), ("labels", 1000)):
        records = sent(broker, topic)
        assert Counter(value["prediction_id"] for _, _, value in records).total() == count
        assert len({key for _, key, _ in records}) == count
        assert all(value["prediction_id"].encode() == key for _, key, value in records)
        assert [partition for partition, _, _ in records] == [
            partitioner(key, [0, 1, 2, 3], [0, 1, 2, 3]) for _, key, _ in records
        ]


def test_each_partition_is_in_the_order_of_time(broker: str, tmp_path: Path) -> None:
    run(["publish", str(history(tmp_path / "history.csv", 3000)), "--model", "credit"])
    for topic in ("predictions", "labels"):
        times: dict[int, list[int]] = {}
        for partition, _, value in sent(broker, topic):
            times.setdefault(partition, []).append(milliseconds(value["timestamp"]))
        assert all(of_one == sorted(of_one) for of_one in times.values())


def test_published_twice_is_the_same_data_twice(broker: str, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("timestamp,prediction,label\n1763640000,a,b\n1763640001,b,b\n")
    for _ in range(2):
        assert run(["publish", str(file), "--model", "credit"]) == 0
    for topic in ("predictions", "labels"):
        values = [orjson.dumps(value) for _, _, value in sent(broker, topic)]
        assert sorted(Counter(values).values()) == [2, 2]


def test_a_mistake_is_told_and_the_rest_is_sent(
    broker: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("timestamp,prediction\n1763640000,a\nnever,a\n1763640002,a\n")
    assert run(["publish", str(file), "--model", "credit"]) == 1
    out, err = capsys.readouterr()
    assert f"{file}:3: timestamp: 'never' is no time" in err
    assert "1 of 3 rows were left out" in err
    assert "2 predictions and 0 labels of credit" in out
    assert len(sent(broker, "predictions")) == 2


@pytest.mark.parametrize("option", ["--strict", "--dry-run"])
def test_nothing_is_sent_when_so_asked(
    broker: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("timestamp,prediction\n1763640000,a\nnever,a\n")
    assert run(["publish", str(file), "--model", "credit", option]) == 1
    assert sent(broker, "predictions") == []
    assert f"{file}:3: timestamp" in capsys.readouterr().err


def test_a_rate_spreads_what_has_no_time_from_now_on(broker: str, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("prediction,label\n" + "a,b\n" * 50)
    before = time.time() * 1000
    assert run(["publish", str(file), "--model", "credit", "--rate", "200"]) == 0
    passed = time.time() * 1000 - before
    times = sorted(milliseconds(value["timestamp"]) for _, _, value in sent(broker, "predictions"))
    assert [later - first for first, later in pairwise(times)] == [10] * 49
    assert times[0] >= int(before)
    assert passed >= 490  # 100 events at 200 a second


def test_without_a_rate_what_has_no_time_ends_now(broker: str, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("prediction\n" + "a\n" * 50)
    assert run(["publish", str(file), "--model", "credit"]) == 0
    times = [milliseconds(value["timestamp"]) for _, _, value in sent(broker, "predictions")]
    assert max(times) - min(times) == 490
    assert max(times) <= time.time() * 1000


def test_what_workers_would_refuse_is_told(broker: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(f"timestamp,prediction\n{time.time():.0f},a\n{time.time() + 3600:.0f},a\n")
    assert run(["publish", str(file), "--model", "credit"]) == 0
    assert "1 of them are more than 300 s in the future" in capsys.readouterr().err


def test_the_configuration_says_what_a_model_is(broker: str, tmp_path: Path) -> None:
    (tmp_path / "inferwatch.yaml").write_text("models: {credit: {task: classification, positive: '0'}}")
    file = tmp_path / "rows.csv"
    file.write_text("timestamp,prediction,probability\n1763640000,1,0.25\n")
    assert run(["publish", str(file), "--model", "credit"]) == 0
    ((_, _, value),) = sent(broker, "predictions")
    assert value["prediction"] == "1"
    assert value["probabilities"] == {"0": 0.25, "1": 0.75}


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["none.csv", "--model", "m"], "none.csv: No such file or directory"),
        (["rows.csv"], "model"),
        (["rows.csv", "--model", "m", "--segments", "web"], "no column 'web' (--segments)"),
        (["rows.csv", "--model", "m", "--start", "today"], "--start: "),
    ],
)
def test_a_wrong_call_is_one_line(
    broker: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], why: str
) -> None:
    (tmp_path / "rows.csv").write_text("prediction\na\n")
    assert run(["publish", *arguments]) != 0
    err = capsys.readouterr().err
    assert why in err
    assert len(err.splitlines()) == 1

"""`inferwatch check` says how the newest records on the broker lie."""

import re
from typing import Any

import orjson
import pytest
from confluent_kafka import Producer

from streams.cli import run

COUNT = 40


def send(broker: str, topic: str, key: bool = True, partitioner: str = "murmur2_random", **more: Any) -> None:
    """Records of COUNT ids as a librdkafka client sends them."""
    producer = Producer({"bootstrap.servers": broker, "partitioner": partitioner})
    for number in range(COUNT):
        value = {"prediction_id": f"p{number}", **more}
        producer.produce(topic, orjson.dumps(value), key=f"p{number}" if key else None)
    assert producer.flush(30) == 0


PREDICTION = {"model": "credit", "version": "1", "timestamp": 1_795_176_000, "prediction": "yes"}


@pytest.fixture(autouse=True)
def _settings(mock_broker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFERWATCH_BROKER", mock_broker)


def checked(capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The exit code, and what is said of the records."""
    code = run(["check"])
    return code, capsys.readouterr().out.partition("\nrecords on the broker\n")[2]


def test_all_is_well(mock_broker: str, capsys: pytest.CaptureFixture[str]) -> None:
    send(mock_broker, "predictions", **PREDICTION)
    assert checked(capsys) == (
        0,
        f"  predictions the newest {COUNT} all lie in the partition of their key\n  labels      no records yet\n",
    )


def test_librdkafkas_default_is_found_and_explained(mock_broker: str, capsys: pytest.CaptureFixture[str]) -> None:
    send(mock_broker, "predictions", **PREDICTION)
    send(mock_broker, "labels", label="yes", partitioner="consistent_random")
    code, said = checked(capsys)
    assert code == 1
    found = re.search(
        r"labels +(\d+) of the newest 40 lie in another partition than their key's \(the latest: part", said
    )
    assert found
    assert 0 < int(found[1]) < COUNT
    assert "partitioner=murmur2_random" in said
    assert "labels.forward_misrouted: true" in said


def test_what_workers_send_on_is_no_fault(
    mock_broker: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INFERWATCH_LABELS__FORWARD_MISROUTED", "true")
    send(mock_broker, "labels", label="yes", partitioner="consistent_random")
    code, said = checked(capsys)
    assert code == 0
    assert "Workers send them on" in said


def test_records_without_a_key_are_a_fault_where_they_are_joined(
    mock_broker: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    send(mock_broker, "predictions", key=False, **PREDICTION)
    code, said = checked(capsys)
    assert code == 1
    assert f"{COUNT} of the newest {COUNT} have no key" in said
    assert "Give each record a key" in said
    monkeypatch.setenv("INFERWATCH_MODELS__CREDIT__JOIN", "false")
    code, said = checked(capsys)
    assert code == 0
    assert f"predictions none of the newest {COUNT} is to be joined" in said


def test_topics_that_are_missing_are_no_fault_of_the_configuration(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INFERWATCH_TOPIC_PREFIX", "other.")
    assert checked(capsys) == (0, "  the topics are not there yet: `inferwatch topics create` makes them\n")

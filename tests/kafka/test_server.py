"""The real Kafka of `deploy/kafka/server.py` itself: it answers, and comes back with what it held."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from deploy.kafka.jars import KafkaUnavailable
from deploy.kafka.server import KafkaServer

pytestmark = pytest.mark.kafka


def _send(address: str, topic: str, value: bytes) -> None:
    producer = Producer({"bootstrap.servers": address})
    producer.produce(topic, value)
    assert producer.flush(30) == 0


def _first(address: str, topic: str) -> bytes | None:
    consumer = Consumer({"bootstrap.servers": address, "group.id": "reader"})
    consumer.assign([TopicPartition(topic, 0, 0)])
    message = consumer.poll(30)
    consumer.close()
    return message.value() if message is not None else None


def test_what_it_held_survives_a_kill_and_a_restart(tmp_path: Path) -> None:
    with KafkaServer(tmp_path) as node:
        address = node.address
        admin = AdminClient({"bootstrap.servers": address})
        admin.create_topics([NewTopic("held", 1, 1)])["held"].result()
        _send(address, "held", b"first")
        node.kill()
        node.start()
        assert _first(address, "held") == b"first"
        node.restart()
        assert node.address == address
        assert _first(address, "held") == b"first"


def test_a_node_on_the_same_directory_is_the_same_node(tmp_path: Path) -> None:
    assert KafkaServer(tmp_path).address != KafkaServer(tmp_path / "other").address
    first = KafkaServer(tmp_path)
    first._configure()
    assert KafkaServer(tmp_path).address == first.address


def test_no_topic_appears_unasked(kafka: str) -> None:
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.list_topics("nobody-made-this", timeout=10)
    assert "nobody-made-this" not in admin.list_topics(timeout=10).topics


def test_the_node_goes_when_its_parent_is_killed(tmp_path: Path) -> None:
    code = f"""
from pathlib import Path
from deploy.kafka.server import KafkaServer
import os, signal
node = KafkaServer(Path({str(tmp_path)!r}))
node.start()
print(node.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    parent = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    pid = int(parent.stdout)
    while _runs(pid):
        pass


def test_a_node_that_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(KafkaUnavailable, match="no-such-number"):
        KafkaServer(tmp_path, settings={"num.io.threads": "no-such-number"}).start()


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"

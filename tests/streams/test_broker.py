"""The embedded broker over its socket: what clients can do, its port, and that it never stays behind."""

import os
import signal
import socket
import subprocess
import sys

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from streams.broker import embedded_broker


def _partitions(address: str) -> dict[str, int]:
    client = AdminClient({"bootstrap.servers": address})
    return {name: len(topic.partitions) for name, topic in client.list_topics(timeout=10).topics.items()}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_topics_have_the_partitions_that_were_asked_for() -> None:
    with embedded_broker({"predictions": 6, "audit": 1}) as address:
        assert _partitions(address) == {"predictions": 6, "audit": 1}


def test_what_is_sent_can_be_read_by_a_group() -> None:
    with embedded_broker({"sent": 2}) as address:
        producer = Producer({"bootstrap.servers": address})
        producer.produce("sent", b"value", key=b"key")
        assert producer.flush(10) == 0
        group = {"bootstrap.servers": address, "group.id": "readers", "auto.offset.reset": "earliest"}
        consumer = Consumer(group)
        consumer.subscribe(["sent"])
        message = consumer.poll(10)
        assert message is not None
        assert (message.key(), message.value()) == (b"key", b"value")
        consumer.commit(message, asynchronous=False)
        place = TopicPartition("sent", message.partition())
        assert consumer.committed([place], timeout=10)[0].offset == 1
        consumer.close()


def test_the_port_can_be_chosen() -> None:
    port = _free_port()
    with embedded_broker({"sent": 1}, port=port) as address:
        assert address == f"127.0.0.1:{port}"
        brokers = AdminClient({"bootstrap.servers": address}).list_topics(timeout=10).brokers
        assert [broker.port for broker in brokers.values()] == [port]


def test_a_taken_port_is_said() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        pytest.raises(OSError, match="already in use"),
        embedded_broker(port=server.getsockname()[1]),
    ):
        pass


def test_it_ends_with_its_block() -> None:
    with embedded_broker() as address:
        pass
    host, port = address.split(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=10)


def test_it_ends_when_its_parent_is_killed() -> None:
    code = "from streams.broker import *; broker = embedded_broker(); print(broker.__enter__(), flush=True); input()"
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    host, port = parent.stdout.readline().strip().split(":")
    os.kill(parent.pid, signal.SIGKILL)
    parent.communicate()
    while _listens(host, int(port)):
        pass


def _listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=10).close()
    except OSError:
        return False
    return True

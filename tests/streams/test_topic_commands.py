"""`inferwatch topics` and `inferwatch broker` as a user sees them, on the embedded broker."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from streams.broker import embedded_broker
from streams.cli import run
from streams.topics import EQUAL_PARTITIONS


def test_created_twice_is_there_once(
    mock_broker: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INFERWATCH_BROKER", mock_broker)
    monkeypatch.setenv("INFERWATCH_TOPIC_PREFIX", "mine.")
    assert run(["topics", "check"]) == 1
    assert "mine.predictions: missing" in capsys.readouterr().out
    assert run(["topics", "create", "--dry-run"]) == 0
    assert "mine.predictions: would be made: 4 partitions, replication 1, " in capsys.readouterr().out
    assert run(["topics", "create"]) == 0
    out = capsys.readouterr().out
    assert "mine.predictions: made: 4 partitions" in out
    assert "This is an embedded broker" in out
    assert run(["topics", "create"]) == 0
    assert "mine.predictions: was there" in capsys.readouterr().out
    assert run(["topics", "check"]) == 0


@pytest.mark.parametrize("command", ["create", "check"])
@pytest.mark.parametrize("group", EQUAL_PARTITIONS)
def test_unequal_partition_counts_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str, group: tuple[str, ...]
) -> None:
    with embedded_broker({name: 4 + place for place, name in enumerate(group)}) as address:
        monkeypatch.setenv("INFERWATCH_BROKER", address)
        assert run(["topics", command]) == 1
    assert f"unequal partition counts: {group[0]} has 4, {group[1]} has 5" in capsys.readouterr().err


def _start(directory: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [str(Path(sys.executable).with_name("inferwatch")), "broker", *arguments]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=directory, env=environment)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_broker_says_where_it_is_and_that_it_forgets(
    tmp_path: Path, unused_tcp_port: int, number: signal.Signals
) -> None:
    process = _start(tmp_path, "--port", str(unused_tcp_port))
    assert process.stdout is not None
    said = ""
    while "Ctrl-C" not in said:
        said += process.stdout.readline()
    assert f"Embedded broker at 127.0.0.1:{unused_tcp_port}, for trying things out" in said
    assert re.search(r"all\s+lost", said)
    topics = AdminClient({"bootstrap.servers": f"127.0.0.1:{unused_tcp_port}"}).list_topics(timeout=10).topics
    assert len(topics["predictions"].partitions) == 4
    assert len(topics["audit"].partitions) == 1
    process.send_signal(number)
    assert "what it held is gone" in process.communicate(timeout=30)[0]
    assert process.returncode == 0


def test_a_taken_port_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert run(["broker", "--port", str(port)]) == 2
    assert f"--port {port}: Address already in use" in capsys.readouterr().err

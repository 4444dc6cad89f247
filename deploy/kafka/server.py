"""A real Apache Kafka on this machine, without Docker: one node, broker and controller in one, on the loopback address.

    .venv/bin/python deploy/kafka/server.py                    # until Ctrl-C; the data go with it
    .venv/bin/python deploy/kafka/server.py --data kafka-data  # the data stay, and are found again

Java 17 or newer runs it, Maven fetches it once into the cache directory. Tests and benchmarks use `KafkaServer`.
"""

import argparse
import base64
import logging
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from deploy.kafka.jars import VERSION, KafkaUnavailable, fetch, java, missing

START_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 30.0
# Below the ephemeral range: clients that retry a stopped broker on an ephemeral port can connect to themselves,
# and then hold the port that the broker wants back.
PORTS = range(20_000, 32_000)


_SILENT = logging.Logger("kafka-server", logging.CRITICAL + 1)  # librdkafka prints each refused connection


class KafkaServer:
    """One Kafka node whose log is in `directory`; `address` stays the same over `stop`, `kill` and `start`."""

    def __init__(self, directory: Path, heap: str = "1g", settings: Mapping[str, str] | None = None) -> None:
        self.directory = directory
        self.log = directory / "server.log"
        self._heap = heap
        self._settings = dict(settings or {})
        self._port, self._controller_port = _ports(directory)
        self._process: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("Kafka is not running")
        return self._process.pid

    def start(self) -> None:
        """Starts the node on what is in the directory, and returns when it answers clients."""
        if self._process is not None:
            raise RuntimeError("Kafka is running already")
        config = self._configure()
        if not (self.directory / "data" / "meta.properties").exists():
            self._format(config)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._java("kafka.Kafka", str(config)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C at the terminal is for the parent, which then stops the node
            )
        self._watchdog = _watch(self._process.pid)
        self._wait()

    def stop(self) -> None:
        """Ends the node as an operator would (SIGTERM)."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Ends the node as a crash would (SIGKILL)."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stops the node and starts it again on the same data and address."""
        self.stop()
        self.start()

    def __enter__(self) -> "KafkaServer":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _end(self, with_signal: signal.Signals) -> None:
        if self._watchdog is not None:
            self._watchdog.kill()
            self._watchdog.communicate()
            self._watchdog = None
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(with_signal)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _wait(self) -> None:
        assert self._process is not None
        client = AdminClient({"bootstrap.servers": self.address}, logger=_SILENT)
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self._process.poll() is None:
            if _answers(client):
                return
        code = self._process.poll()
        self.kill()
        why = f"ended with code {code}" if code is not None else f"did not answer within {START_TIMEOUT_S:.0f} s"
        raise KafkaUnavailable(f"Kafka {why}; its log ({self.log}) ends with:\n{_tail(self.log)}")

    def _configure(self) -> Path:
        listeners = f"PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{self._controller_port}"
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller_port}",
            "controller.listener.names": "CONTROLLER",
            "listeners": listeners,
            "advertised.listeners": f"PLAINTEXT://{self.address}",
            "log.dirs": str(self.directory / "data"),
            "auto.create.topics.enable": "false",
            "group.initial.rebalance.delay.ms": "0",
            "offsets.topic.num.partitions": "4",
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.num.partitions": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            # A killed node may come back only when its old session has ended: 9 s unless told otherwise.
            "broker.session.timeout.ms": "3000",
            "broker.heartbeat.interval.ms": "500",
            **self._settings,
        }
        path = self.directory / "server.properties"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        return path

    def _format(self, config: Path) -> None:
        # 22 base64 digits, and no leading dash: the tool would take it for an option.
        cluster = "I" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22]
        command = self._java("kafka.tools.StorageTool", "format", "--cluster-id", cluster, "--config", str(config))
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise KafkaUnavailable(f"formatting {self.directory} failed:\n{done.stdout}{done.stderr}")

    def _java(self, main: str, *arguments: str) -> list[str]:
        jars = fetch() / "*"
        level = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
        return [java(), f"-Xmx{self._heap}", level, "-cp", str(jars), main, *arguments]


def _ports(directory: Path) -> tuple[int, int]:
    """The ports that the directory's node had, else two free ones: clients must find a restarted node again."""
    config = directory / "server.properties"
    if config.exists():
        found = re.search(r"^listeners=\S+?:(\d+),\S+?:(\d+)$", config.read_text(), re.MULTILINE)
        if found:
            return int(found[1]), int(found[2])
    first = _free_port()
    return first, _free_port(other_than=first)


def _free_port(other_than: int = 0) -> int:
    for port in random.sample(PORTS, 200):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port != other_than:
            return port
    raise KafkaUnavailable(f"no free port found between {PORTS.start} and {PORTS.stop}")


def _watch(pid: int) -> subprocess.Popen[bytes]:
    """Kills `pid` when this process is gone, however it went: then the pipe that the watchdog reads ends."""
    return subprocess.Popen(
        ["sh", "-c", f"read -r _; kill -9 {pid}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _answers(client: AdminClient) -> bool:
    try:
        return bool(client.list_topics(timeout=0.5).brokers)
    except KafkaException:
        return False


def _tail(log: Path, lines: int = 20) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def main() -> None:
    parser = argparse.ArgumentParser(description="A real Apache Kafka on this machine, without Docker.")
    parser.add_argument("--data", type=Path, help="directory to keep the data in; without it they are thrown away")
    parser.add_argument("--heap", default="1g", help="the most memory that Java may take for its heap (default: 1g)")
    options = parser.parse_args()
    reason = missing()
    if reason:
        raise SystemExit(reason)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="inferwatch-kafka-") as temporary:
        directory = (options.data or Path(temporary)).resolve()
        try:
            with KafkaServer(directory, heap=options.heap) as server:
                print(f"Apache Kafka {VERSION} at {server.address} (process {server.pid}), data in {directory}")
                print("Ctrl-C stops it.", flush=True)
                signal.pause()
        except KafkaUnavailable as error:
            raise SystemExit(str(error)) from error
        except KeyboardInterrupt:
            print("stopped", file=sys.stderr)


if __name__ == "__main__":
    main()

"""The embedded broker: a Kafka in memory, for trying things out, demos and tests. All it holds goes when it ends."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from streams.mockcluster import MockCluster

STOP_TIMEOUT_S = 10.0


@contextmanager
def embedded_broker(topics: Mapping[str, int] | None = None, port: int | None = None) -> Iterator[str]:
    """The address of a broker in a process of its own, with `topics` (name: partitions) created.

    It ends with the block, and also when this process dies without leaving it: the broker waits for its input to end.
    Raises OSError when the port is taken.
    """
    command = [sys.executable, "-m", "streams.broker", json.dumps({"topics": dict(topics or {}), "port": port})]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a Ctrl-C at the terminal is for the parent, which then leaves the block
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        answer = json.loads(process.stdout.readline() or '{"error": "the broker process ended at once"}')
        if "error" in answer:
            raise OSError(answer["error"])
        yield answer["address"]
    finally:
        process.stdin.close()
        process.stdout.close()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def open_cluster(topics: Mapping[str, int], port: int | None = None) -> MockCluster:
    """A cluster in this process with `topics` (name: partitions) created. Raises OSError when the port is taken."""
    cluster = MockCluster(port)
    for name, partitions in topics.items():
        cluster.create_topic(name, partitions)
    return cluster


def _serve() -> None:
    """The broker process of `embedded_broker`: says its address in a line of JSON and runs until its input ends."""
    asked = json.loads(sys.argv[1])
    try:
        cluster = open_cluster(asked["topics"], asked["port"])
    except OSError as error:
        print(json.dumps({"error": f"port {asked['port']}: {error.strerror}"}), flush=True)
        return
    print(json.dumps({"address": cluster.address}), flush=True)
    sys.stdin.read()
    cluster.close()


if __name__ == "__main__":
    _serve()

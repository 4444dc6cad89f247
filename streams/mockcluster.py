"""librdkafka's mock cluster: a Kafka in memory on a real socket, without Java.

The wheel of confluent-kafka carries it, but its own way in (`test.mock.num.brokers`) chooses neither port nor partition
counts. So the C functions are called here (rdkafka_mock.h; librdkafka 2.10 or newer for the port).
What it can't do: keep more than 5 MB a partition, compact, hide aborted transactions, create topics for clients
(CreateTopics), tell their configuration (DescribeConfigs).
"""

import ctypes
import os
import socket
import time

from confluent_kafka import cimpl

HOST = "127.0.0.1"
KEPT_BYTES_PER_PARTITION = 5 * 1024 * 1024
# A command that comes just as the cluster's thread ends the one before is seen only after its idle second.
SETTLING_S = 0.002
_PRODUCER = 0  # rd_kafka_type_t: any kind of client carries a mock cluster
_BROKER_ID = 1
_ERROR_BYTES = 512


class MockCluster:
    """One broker at `address` until `close`. `port` None: any free one. Raises OSError when the port is taken."""

    def __init__(self, port: int | None = None) -> None:
        self._library = _library()
        self._client = self._new_client()
        self._cluster = self._library.rd_kafka_mock_cluster_new(self._client, 1)
        # Members of a group need not wait for others (3 s by default): a demo starts in a moment.
        self._library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, 0)
        self.address = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()
        if port is not None:
            self._listen_on(port)

    def create_topic(self, name: str, partitions: int) -> None:
        """Creates a topic; one that is there stays as it is, with an error. Others appear when first asked for."""
        time.sleep(SETTLING_S)
        code = self._library.rd_kafka_mock_topic_create(self._cluster, name.encode(), partitions, 1)
        if code:
            raise RuntimeError(f"topic {name}: {self._library.rd_kafka_err2str(code).decode()}")

    def close(self) -> None:
        """Ends the broker; what it held is gone."""
        time.sleep(SETTLING_S)
        self._library.rd_kafka_mock_cluster_destroy(self._cluster)
        self._library.rd_kafka_destroy(self._client)

    def _new_client(self) -> int:
        error = ctypes.create_string_buffer(_ERROR_BYTES)
        conf = self._library.rd_kafka_conf_new()
        # It would warn that this client, which only carries the cluster, has no broker to connect to.
        self._library.rd_kafka_conf_set(conf, b"log_level", b"2", error, _ERROR_BYTES)
        client: int | None = self._library.rd_kafka_new(_PRODUCER, conf, error, _ERROR_BYTES)
        if client is None:
            raise RuntimeError(f"librdkafka: {error.value.decode()}")
        return client

    def _listen_on(self, port: int) -> None:
        """Puts a listening socket of ours in the place of the cluster's: it binds to a free port and knows no other."""
        descriptor = _listener(int(self.address.rpartition(":")[2]))
        try:
            with socket.create_server((HOST, port)) as chosen:
                os.dup2(chosen.fileno(), descriptor, inheritable=False)
        except OSError:
            self.close()
            raise
        self._library.rd_kafka_mock_broker_set_host_port(self._cluster, _BROKER_ID, HOST.encode(), port)
        # Any command wakes the cluster's thread, which still polls the socket that was there.
        self._library.rd_kafka_mock_broker_set_up(self._cluster, _BROKER_ID)
        self.address = f"{HOST}:{port}"


def _listener(port: int) -> int:
    """The file descriptor of this process that listens on `port`."""
    for descriptor in map(int, os.listdir("/dev/fd")):
        try:
            with socket.socket(fileno=os.dup(descriptor)) as candidate:
                if candidate.getsockname() == (HOST, port):
                    return descriptor
        except OSError:
            continue  # no socket, or the descriptor of the listing itself
    raise RuntimeError(f"librdkafka does not listen on port {port}")


def _library() -> ctypes.CDLL:
    """librdkafka as confluent-kafka has loaded it: a look-up in its extension goes on to what that links with."""
    library = ctypes.CDLL(cimpl.__file__)
    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    signatures = {
        "rd_kafka_conf_new": (pointer, []),
        "rd_kafka_conf_set": (number, [pointer, text, text, pointer, ctypes.c_size_t]),
        "rd_kafka_new": (pointer, [number, pointer, pointer, ctypes.c_size_t]),
        "rd_kafka_destroy": (None, [pointer]),
        "rd_kafka_err2str": (text, [number]),
        "rd_kafka_mock_cluster_new": (pointer, [pointer, number]),
        "rd_kafka_mock_cluster_destroy": (None, [pointer]),
        "rd_kafka_mock_cluster_bootstraps": (text, [pointer]),
        "rd_kafka_mock_topic_create": (number, [pointer, text, number, number]),
        "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, [pointer, ctypes.c_int32]),
        "rd_kafka_mock_broker_set_host_port": (None, [pointer, ctypes.c_int32, text, number]),
        "rd_kafka_mock_broker_set_up": (number, [pointer, ctypes.c_int32]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library

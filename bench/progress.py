"""How far a worker has come, as it is published: parts and ticks on `panes`, then windows."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from app.settings import Settings
from bench.kafka import PARTITIONS
from bench.process import Process
from streams.topics import topic_name

_quiet = logging.Logger("librdkafka", logging.CRITICAL + 1)


class Progress:
    """Follows what the worker of `settings` publishes."""

    def __init__(self, settings: Settings) -> None:
        self.positions: Counter[tuple[str, int]] = Counter()
        self.windows: dict[str, dict[str, Any]] = {}
        self.published: dict[str, tuple[str, str, int]] = {}
        """By window_id: start, end, and when (ms) it was first published."""
        self._apply = {topic_name(settings, "panes"): self._progress, topic_name(settings, "windows"): self._window}
        self._consumer = Consumer({"bootstrap.servers": settings.broker, "group.id": "bench"}, logger=_quiet)
        self._consumer.assign(
            [TopicPartition(topic, number, OFFSET_BEGINNING) for topic in self._apply for number in range(PARTITIONS)]
        )

    def close(self) -> None:
        self._consumer.close()

    def until(self, reached: Callable[[], bool], process: Process) -> None:
        """Reads on until `reached`. Raises Failed when the process ends first, or takes too long."""
        while not reached():
            process.check()
            message = self._consumer.poll(1.0)
            if message is None:
                continue
            if message.error():
                raise KafkaException(message.error())
            self._apply[str(message.topic())](orjson.loads(message.value() or b"{}"), message.timestamp()[1])

    def ingested(self, ends: Mapping[tuple[str, int], int]) -> bool:
        """Whether everything below `ends` (by topic and partition) is in parts."""
        return all(self.positions[source] >= end for source, end in ends.items())

    def counted(self, field: str) -> int:
        """`field` over all tumbling windows of all traffic, each window once."""
        return sum(window[field] for window in self.windows.values())

    def _progress(self, message: dict[str, Any], _at_ms: int) -> None:
        """Of a part or a tick. Records that changed no totals are in ticks only."""
        told = message["tick"]["sources"] if "tick" in message else [[*message["source"], message["offset"] + 1]]
        for topic, partition, position, *_ in told:
            self.positions[topic, partition] = max(self.positions[topic, partition], position)

    def _window(self, window: dict[str, Any], at_ms: int) -> None:
        if window["kind"] == "tumbling" and window["segment"] == {}:
            self.windows[window["window_id"]] = window
            self.published.setdefault(window["window_id"], (window["start"], window["end"], at_ms))

"""The broker's side of a run: topics of its own, filled as a producer does it, and removed afterwards."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping

import orjson
from aiokafka import AIOKafkaProducer
from confluent_kafka import ConsumerGroupState, ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from app.settings import Settings
from app.sources.partitioning import partitions_of
from bench.traffic import MODEL, Record, baseline
from streams.topicadmin import TopicAdmin
from streams.topics import plans, topic_name

PARTITIONS = 4
# The default of aiokafka and of the Java client.
BATCH_BYTES = 16384
_NOT_YET = (
    KafkaError.GROUP_ID_NOT_FOUND,
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
)
_quiet = logging.Logger("librdkafka", logging.CRITICAL + 1)


class Cluster:
    """One broker."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._admin = AdminClient({"bootstrap.servers": address}, logger=_quiet)

    def create(self, topic: str) -> None:
        self._admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result()

    def create_all(self, settings: Settings) -> None:
        """Every topic of the service, as `inferwatch topics create` makes them."""
        TopicAdmin(self.address).create(plans(settings))

    def commit(self, group: str, topic: str, ends: Mapping[int, int]) -> None:
        """As if the group had counted everything."""
        places = [TopicPartition(topic, number, end) for number, end in ends.items()]
        answers = self._admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, places)])
        answers[group].result()

    def remove(self, prefix: str) -> None:
        """All topics of a run: the disk holds one run at a time."""
        names = [name for name in self._admin.list_topics(timeout=30).topics if name.startswith(prefix)]
        for answer in self._admin.delete_topics(names).values():
            answer.result()

    def is_stable(self, group: str) -> bool:
        """Whether the group's members have their partitions: from here on they fetch."""
        try:
            found = self._admin.describe_consumer_groups([group], request_timeout=10)[group].result()
        except KafkaException as error:
            if error.args[0].code() in _NOT_YET:
                return False
            raise
        return bool(found.state == ConsumerGroupState.STABLE)

    async def fill(self, topic: str, slices: Iterable[Iterable[Record]]) -> "Filled":
        """Sends everything by key in lz4 batches of the usual size."""
        filled = Filled(topic)
        producer = AIOKafkaProducer(
            bootstrap_servers=self.address, compression_type="lz4", max_batch_size=BATCH_BYTES, acks="all",
            max_request_size=4 * 1024 * 1024,
        )  # fmt: skip
        await producer.start()
        try:
            for records in slices:
                await _send(producer, filled, list(records))
        finally:
            await producer.stop()
        return filled

    async def publish_baseline(self, settings: Settings, start_ms: int) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.address)
        await producer.start()
        try:
            record = orjson.dumps(baseline(start_ms).to_record())
            await producer.send_and_wait(topic_name(settings, "baselines"), record, key=MODEL.encode())
        finally:
            await producer.stop()


class Filled:
    """What a topic holds: `ends`, the number of records by partition; `rows`; `value_bytes`, before compression."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.ends: Counter[int] = Counter()
        self.rows = 0
        self.value_bytes = 0


async def _send(producer: AIOKafkaProducer, filled: Filled, records: list[Record]) -> None:
    places = partitions_of([record.key for record in records], PARTITIONS).tolist()
    acknowledgements = []
    for partition in range(PARTITIONS):
        batch = producer.create_batch()
        for record, place in zip(records, places, strict=True):
            if place != partition:
                continue
            if batch.append(key=record.key, value=record.value, timestamp=None) is None:
                acknowledgements.append(await producer.send_batch(batch, filled.topic, partition=partition))
                batch = producer.create_batch()
                batch.append(key=record.key, value=record.value, timestamp=None)
            filled.ends[partition] += 1
            filled.rows += record.rows
            filled.value_bytes += len(record.value)
        if batch.record_count():
            acknowledgements.append(await producer.send_batch(batch, filled.topic, partition=partition))
    for acknowledgement in acknowledgements:
        await acknowledgement

"""What is on a broker, and making the planned topics there.

By confluent-kafka's AdminClient: it is kept by the makers of librdkafka, waits for the controller, and answers with an
error for each topic; aiokafka's returns raw protocol responses, whose error codes the caller must not forget to read.
"""

import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata, ConfigResource, NewTopic, TopicMetadata

from streams.topics import TopicFacts, TopicPlan

TIMEOUT_S = 10.0
EMBEDDED = "mockCluster"  # how the cluster id of librdkafka's mock cluster begins
# librdkafka writes each refused connection; what matters of it comes as an exception.
_quiet = logging.Logger("librdkafka", logging.CRITICAL + 1)


class BrokerError(RuntimeError):
    """The broker can't be reached or refuses; the text is for the user."""


@dataclass(slots=True)
class Made:
    """Names of topics on the broker. `by_metadata`: made as the embedded broker makes them, by being asked for."""

    created: list[str]
    present: list[str]
    by_metadata: bool = False


class TopicAdmin:
    """Topics of the broker at `address`. Every method raises BrokerError."""

    def __init__(self, address: str, timeout_s: float = TIMEOUT_S) -> None:
        self.address = address
        self.timeout_s = timeout_s
        self._client = AdminClient({"bootstrap.servers": address}, logger=_quiet)

    def is_embedded(self) -> bool:
        """Whether the broker is librdkafka's mock cluster, as `inferwatch broker` is."""
        return _is_embedded(self._metadata())

    def facts(self, names: Iterable[str]) -> dict[str, TopicFacts]:
        """Those of `names` that are there, as they are."""
        metadata = self._metadata()
        found = [name for name in names if name in metadata.topics]
        configs = {} if _is_embedded(metadata) else self._configs(found)
        return {name: _facts(metadata.topics[name], configs.get(name)) for name in found}

    def create(self, planned: list[TopicPlan]) -> Made:
        """Makes those that are missing; what is there stays as it is."""
        metadata = self._metadata()
        present = [plan.name for plan in planned if plan.name in metadata.topics]
        wanted = [plan for plan in planned if plan.name not in metadata.topics]
        if _is_embedded(metadata):
            for plan in wanted:
                self._metadata(plan.name)
            return Made([plan.name for plan in wanted], present, by_metadata=True)
        created = self._create(wanted)
        self._await([plan.name for plan in wanted])
        return Made(created, present + [plan.name for plan in wanted if plan.name not in created])

    def _create(self, wanted: list[TopicPlan]) -> list[str]:
        """The names of those created here; one that someone else made meanwhile is not among them."""
        if not wanted:
            return []
        new = [NewTopic(plan.name, plan.partitions, plan.replication, config=dict(plan.config)) for plan in wanted]
        created: list[str] = []
        refused: dict[str, list[str]] = {}
        for name, answer in self._client.create_topics(new, operation_timeout=self.timeout_s).items():
            try:
                answer.result()
                created.append(name)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    refused.setdefault(error.args[0].str(), []).append(name)
        if refused:
            raise BrokerError("\n".join(f"{', '.join(names)}: {why}" for why, names in refused.items()))
        return created

    def _await(self, names: list[str]) -> None:
        """Returns when clients can use the topics: the controller says that they are made before brokers show them."""
        deadline = time.monotonic() + self.timeout_s
        while time.monotonic() < deadline:
            topics = self._metadata().topics
            if all(name in topics and _is_led(topics[name]) for name in names):
                return
        raise BrokerError(f"the topics were made, but have no leaders after {self.timeout_s:g} s: {', '.join(names)}")

    def _configs(self, names: list[str]) -> dict[str, Mapping[str, str]]:
        if not names:
            return {}
        resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in names]
        answers = self._client.describe_configs(resources, request_timeout=self.timeout_s)
        try:
            return {
                resource.name: {key: entry.value for key, entry in answer.result().items()}
                for resource, answer in answers.items()
            }
        except KafkaException as error:
            raise BrokerError(f"the broker does not tell its topics' settings: {error.args[0].str()}") from error

    def _metadata(self, topic: str | None = None) -> ClusterMetadata:
        """Of the whole cluster, or of one topic: asked for by name, an embedded broker makes it."""
        try:
            return self._client.list_topics(topic, timeout=self.timeout_s)
        except KafkaException as error:
            raise BrokerError(f"no Kafka answers at {self.address}: {error.args[0].str()}") from error


def _is_embedded(metadata: ClusterMetadata) -> bool:
    return str(metadata.cluster_id).startswith(EMBEDDED)


def _is_led(topic: TopicMetadata) -> bool:
    return bool(topic.partitions) and all(one.leader >= 0 for one in topic.partitions.values())


def _facts(metadata: TopicMetadata, config: Mapping[str, str] | None) -> TopicFacts:
    partitions = metadata.partitions.values()
    return TopicFacts(len(partitions), min((len(one.replicas) for one in partitions), default=0), config)

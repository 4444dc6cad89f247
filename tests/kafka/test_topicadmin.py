"""Making and checking topics on a real Kafka and on the embedded broker."""

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from app.settings import Settings, TopicSettings
from streams.topicadmin import BrokerError, TopicAdmin
from streams.topics import TopicPlan, differences, plans, unequal


def _plans(prefix: str) -> list[TopicPlan]:
    return plans(Settings(topic_prefix=prefix))


@pytest.mark.kafka
def test_topics_are_made_once_and_as_planned(kafka: str) -> None:
    planned = _plans("made-once.")
    admin = TopicAdmin(kafka)
    made = admin.create(planned)
    assert (made.created, made.present, made.by_metadata) == ([plan.name for plan in planned], [], False)
    made = admin.create(planned)
    assert (made.created, made.present) == ([], [plan.name for plan in planned])
    assert differences(planned, admin.facts(plan.name for plan in planned)) == []


@pytest.mark.kafka
def test_what_someone_else_made_differs(kafka: str) -> None:
    planned = _plans("elsewhere.")
    other = AdminClient({"bootstrap.servers": kafka})
    other.create_topics([NewTopic("elsewhere.labels", 2, 1, config={"retention.ms": "60000"})])[
        "elsewhere.labels"
    ].result()
    admin = TopicAdmin(kafka)
    admin.create(planned)
    facts = admin.facts(plan.name for plan in planned)
    named = {(one.topic, one.what) for one in differences(planned, facts)}
    assert ("elsewhere.labels", "2 partitions, planned 4") in named
    assert ("elsewhere.labels", "retention.ms is 60 s, planned 8 days") in named
    assert len(unequal(planned, facts)) == 1


@pytest.mark.kafka
def test_what_the_broker_refuses_is_said_once(kafka: str) -> None:
    planned = plans(Settings(topic_prefix="refused.", topics=TopicSettings(replication=3)))
    with pytest.raises(BrokerError) as error:
        TopicAdmin(kafka).create(planned)
    assert "replication factor" in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_the_embedded_broker_has_them_by_being_asked(mock_broker: str) -> None:
    planned = _plans("asked.")
    admin = TopicAdmin(mock_broker)
    made = admin.create(planned)
    assert made.by_metadata
    assert made.created == [plan.name for plan in planned]
    facts = admin.facts(plan.name for plan in planned)
    assert all(one.harmless for one in differences(planned, facts))


def test_nothing_differs_on_the_embedded_broker(mock_broker: str) -> None:
    planned = _plans("")
    assert differences(planned, TopicAdmin(mock_broker).facts(plan.name for plan in planned)) == []


def test_no_broker_is_one_line(unused_tcp_port: int) -> None:
    with pytest.raises(BrokerError, match="no Kafka answers at") as error:
        TopicAdmin(f"127.0.0.1:{unused_tcp_port}", timeout_s=1).facts([])
    assert len(str(error.value).splitlines()) == 1

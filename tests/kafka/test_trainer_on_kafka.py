"""The trainer on a real Kafka, with the topics as they are made there."""

from pathlib import Path

import pytest

from streams.registry import Registry
from streams.topicadmin import TopicAdmin
from streams.topics import plans
from tests.streams.test_trainer import Place, examples

pytestmark = [pytest.mark.kafka, pytest.mark.filterwarnings("ignore:The ``noload``")]  # of MLflow


async def test_a_request_is_answered_once(kafka: str, tmp_path: Path) -> None:
    place = Place(
        kafka, Registry(f"sqlite:///{tmp_path}/registry.db", tmp_path), "trainer", tmp_path, session_timeout_s=10
    )
    place.configure()
    place.settings = place.settings.model_copy(update={"topic_prefix": "trainer."})
    TopicAdmin(kafka).create(plans(place.settings))
    ranges = await examples(place)
    for _ in range(2):
        await place.ask(ranges)
        await place.train()
    archived, champion = await place.versions()
    assert (archived["version"], archived["status"]) == ("1", "archived")
    assert (champion["version"], champion["status"], champion["data"]["rows"]) == ("2", "champion", 1200)

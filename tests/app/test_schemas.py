"""JSON Schemas and the AsyncAPI document."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from app.asyncapi import document
from app.events import TOPICS
from app.schemas import topic_schema
from app.settings import Settings
from streams.topics import partition_counts

SETTINGS = Settings(broker="one:9092,two:9093", topic_prefix="test.")


@pytest.fixture(scope="module")
def asyncapi() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(document(SETTINGS, "1.2.3", partition_counts(SETTINGS))))
    return found


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_has_a_schema(topic: str) -> None:
    schema = topic_schema(topic)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert list(references(schema))
    assert all(resolve(schema, reference) for reference in references(schema))


def test_unknown_topics_have_none() -> None:
    with pytest.raises(KeyError):
        topic_schema("panes")


def test_every_reference_of_the_document_leads_somewhere(asyncapi: dict[str, Any]) -> None:
    assert all(resolve(asyncapi, reference) for reference in references(asyncapi))


def test_channels_are_the_topics_of_the_broker(asyncapi: dict[str, Any]) -> None:
    assert [channel["address"] for channel in asyncapi["channels"].values()] == [f"test.{topic}" for topic in TOPICS]
    assert asyncapi["channels"]["predictions"]["bindings"]["kafka"]["partitions"] == 4
    assert [server["host"] for server in asyncapi["servers"].values()] == ["one:9092", "two:9093"]


def test_operations_say_who_writes_what(asyncapi: dict[str, Any]) -> None:
    operations = asyncapi["operations"]
    assert operations["receive-predictions"]["action"] == "receive"
    assert operations["send-windows"]["action"] == "send"
    assert "send-predictions" not in operations
    assert "receive-windows" not in operations


def test_the_examples_fit_the_payloads(asyncapi: dict[str, Any]) -> None:
    for message in asyncapi["components"]["messages"].values():
        payload = message["payload"] | {"components": asyncapi["components"]}
        for example in message["examples"]:
            jsonschema.Draft7Validator(payload).validate(example["payload"])


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def resolve(document: Any, reference: str) -> Any:
    for part in reference.removeprefix("#/").split("/"):
        document = document[part]
    return document

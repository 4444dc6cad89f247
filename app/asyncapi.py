"""The AsyncAPI 3.0.0 document: the topics as they are on the broker, their events, and who writes what.

https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

from collections.abc import Mapping
from typing import Any

from app.events import TOPICS, Event, TopicEvents
from app.schemas import definitions
from app.settings import Settings

COMPONENT = "#/components/schemas/{model}"


def document(settings: Settings, version: str, partitions: Mapping[str, int]) -> dict[str, Any]:
    """`version` of Inferwatch; `partitions` by the topic's name on the broker."""
    events = [event for topic in TOPICS.values() for event in topic.events]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Inferwatch",
            "version": version,
            "description": "Streaming monitoring for machine-learning models in production.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            f"broker{number}": {"host": address, "protocol": "kafka"}
            for number, address in enumerate(settings.broker.split(","), start=1)
        },
        "channels": {
            topic: _channel(settings.topic_prefix + topic, found, partitions) for topic, found in TOPICS.items()
        },
        "operations": {
            f"{action}-{topic}": _operation(action, topic, found)
            for topic, found in TOPICS.items()
            for action in found.actions
        },
        "components": {
            "messages": {
                event.__name__: _message(event, found.key) for found in TOPICS.values() for event in found.events
            },
            "schemas": {name: _draft_07(schema) for name, schema in definitions(events, COMPONENT).items()},
        },
    }


def _channel(address: str, found: TopicEvents, partitions: Mapping[str, int]) -> dict[str, Any]:
    kafka = {"topic": address, "partitions": partitions[address], "bindingVersion": "0.5.0"}
    return {
        "address": address,
        "summary": found.summary,
        "messages": {event.__name__: {"$ref": f"#/components/messages/{event.__name__}"} for event in found.events},
        "bindings": {"kafka": kafka},
    }


def _operation(action: str, topic: str, found: TopicEvents) -> dict[str, Any]:
    return {
        "action": action,
        "summary": found.summary,
        "channel": {"$ref": f"#/channels/{topic}"},
        "messages": [{"$ref": f"#/channels/{topic}/messages/{event.__name__}"} for event in found.events],
    }


def _message(event: type[Event], key: str) -> dict[str, Any]:
    examples = event.model_json_schema()["examples"]
    return {
        "name": event.__name__,
        "title": event.__name__,
        "contentType": "application/json",
        "payload": {"$ref": COMPONENT.format(model=event.__name__)},
        "bindings": {"kafka": {"key": {"type": "string", "description": key}, "bindingVersion": "0.5.0"}},
        "examples": [{"payload": example} for example in examples],
    }


def _draft_07(schema: Any) -> Any:
    """AsyncAPI's own schemas extend draft 07, where the types of a tuple's places stand in `items`."""
    if isinstance(schema, list):
        return [_draft_07(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {"items" if key == "prefixItems" else key: _draft_07(value) for key, value in schema.items()}

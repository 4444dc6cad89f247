"""JSON Schemas of the topics, from the events' models."""

from collections.abc import Iterable
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from app.events import TOPICS, Event

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Plain(GenerateJsonSchema):
    """Without a title for each field, which would only say its name again."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def sort(self, value: Any, parent_key: str | None = None) -> Any:
        """As the contract orders it."""
        return value


def topic_schema(topic: str) -> dict[str, Any]:
    """The schema (draft 2020-12) of a record's value on `topic`: any of its events. Raises KeyError."""
    found = TOPICS[topic]
    names = [event.__name__ for event in found.events]
    return {
        "$schema": DIALECT,
        "title": topic,
        "description": found.summary,
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in names],
        "$defs": definitions(found.events),
    }


def definitions(events: Iterable[type[Event]], template: str = "#/$defs/{model}") -> dict[str, Any]:
    """Name -> schema of the events and of what they are made of; `template`: how they refer to one another."""
    inputs = [(event, "validation") for event in events]
    _, schema = models_json_schema(inputs, ref_template=template, schema_generator=_Plain)  # type: ignore[arg-type]
    return dict(schema["$defs"])

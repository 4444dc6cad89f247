"""`inferwatch schema`: what the events look like."""

from typing import Annotated

import typer

from streams.commands.context import settings_of


def schema(
    ctx: typer.Context,
    topic: Annotated[str | None, typer.Argument(help="Only of this one. Default: all.", show_default=False)] = None,
    asyncapi: Annotated[
        bool,
        typer.Option("--asyncapi", help="The AsyncAPI 3.0.0 document: topics as configured, their events, who writes."),
    ] = False,
) -> None:
    """Print the JSON Schemas of the topics, or the AsyncAPI document.

    With TOPIC the schema of its records, else an object with the schema of each topic.
    """
    if asyncapi and topic is not None:
        raise typer.BadParameter("--asyncapi describes all topics, so it goes without TOPIC")
    _print(_asyncapi(ctx) if asyncapi else _schemas(topic))


def _schemas(topic: str | None) -> object:
    from app.config.sections import meant
    from app.events import TOPICS
    from app.schemas import topic_schema

    if topic is None:
        return {name: topic_schema(name) for name in TOPICS}
    if topic not in TOPICS:
        raise typer.BadParameter(f"no topic {topic!r}{meant(topic, TOPICS)}; there are {', '.join(TOPICS)}")
    return topic_schema(topic)


def _asyncapi(ctx: typer.Context) -> object:
    from importlib.metadata import version

    from app.asyncapi import document
    from streams.topics import partition_counts

    settings = settings_of(ctx)
    return document(settings, version("inferwatch"), partition_counts(settings))


def _print(value: object) -> None:
    import orjson

    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())

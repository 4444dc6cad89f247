"""`inferwatch check`: whether the configuration is right, and whether records lie where they can be joined."""

import asyncio
import logging
import os
from typing import TYPE_CHECKING

import typer

from streams.commands.context import config_of, settings_of

if TYPE_CHECKING:
    from app.settings import Settings


def check(ctx: typer.Context) -> None:
    """Check the configuration: say what is wrong with it and where, or what will be monitored and how.

    Where a broker answers, its newest predictions and labels are looked at too: in another partition than their key's
    they do not meet, which is an error.
    """
    from app.config.configuration import locate
    from app.config.environment import names
    from app.config.summary import summary

    settings = settings_of(ctx)
    file = locate(config_of(ctx), os.environ)
    sources = [] if file is None else [str(file)]
    sources += names(os.environ)
    typer.echo(f"{', '.join(sources)}: all right." if sources else "No configuration: the defaults hold.")
    typer.echo("\n" + "\n".join(summary(settings)))
    if not _joinable(settings):
        raise typer.Exit(1)


def _joinable(settings: "Settings") -> bool:
    """Says how the records on the broker lie. Whether they can all be joined, as far as can be seen."""
    from streams.placement import is_fault, look, remedies

    logging.getLogger("aiokafka").addHandler(logging.NullHandler())  # that no broker is there is told below
    placements = asyncio.run(look(settings))
    typer.echo("\nrecords on the broker")
    if placements is None:
        typer.echo(f"  no Kafka answers at {settings.broker}: they were not looked at")
        return True
    for one in placements:
        typer.echo(f"  {one.topic:<11} {one.told()}")
    if not placements:
        typer.echo("  the topics are not there yet: `inferwatch topics create` makes them")
    for line in remedies(placements, settings):
        typer.echo(f"  {line}")
    return not is_fault(placements, settings)

"""`inferwatch check`: whether the configuration is right."""

import os

import typer

from streams.commands.context import config_of, settings_of


def check(ctx: typer.Context) -> None:
    """Check the configuration: say what is wrong with it and where, or what will be monitored and how."""
    from app.configuration import locate
    from app.environment import names
    from app.summary import summary

    settings = settings_of(ctx)
    file = locate(config_of(ctx), os.environ)
    sources = [] if file is None else [str(file)]
    sources += names(os.environ)
    typer.echo(f"{', '.join(sources)}: all right." if sources else "No configuration: the defaults hold.")
    typer.echo("\n" + "\n".join(summary(settings)))

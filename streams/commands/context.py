"""What a command gets from the command line in front of it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from app.settings import Settings


def config_of(ctx: typer.Context) -> Path | None:
    """The file that `--config` names."""
    path = ctx.find_root().obj
    return path if isinstance(path, Path) else None


def settings_of(ctx: typer.Context) -> "Settings":
    """The settings that hold for this command. Raises ConfigurationError, which `main` prints."""
    from app.settings import load

    return load(config_of(ctx), os.environ)

"""The command `inferwatch`: which commands there are, and how one ends that went wrong."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from streams import mistakes
from streams.commands.baseline import baseline
from streams.commands.broker import broker
from streams.commands.check import check
from streams.commands.dead_letters import dead_letters
from streams.commands.demo import demo, simulate
from streams.commands.publish import publish
from streams.commands.replay import replay
from streams.commands.schema import schema
from streams.commands.topics import topics
from streams.commands.trainer import trainer
from streams.commands.worker import worker

# --help prints the summaries in this order. Commands import what is heavy when they run.
app = typer.Typer(
    name="inferwatch",
    help="Streaming monitoring for machine-learning models in production.",
    epilog="--config works before and after the command. Every setting can be an environment variable as well: "
    "INFERWATCH_BROKER, INFERWATCH_DATA_DIR, INFERWATCH_WORKER__PORT and so on.",
    rich_markup_mode="markdown",  # a paragraph of a docstring is wrapped as one
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(demo)
app.command()(worker)
app.command()(trainer)
app.add_typer(topics, name="topics")
app.command()(publish)
app.command()(replay)
app.add_typer(baseline, name="baseline")
app.add_typer(dead_letters, name="dead-letters")
app.command()(broker)
app.command()(check)
app.command()(schema)
app.command(hidden=True)(simulate)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"inferwatch {version('inferwatch')}")
        raise typer.Exit


Config = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="The configuration. Default: $INFERWATCH_CONFIG, else inferwatch.yaml if it is there."
    ),
]
Version = Annotated[
    bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
]


@app.callback(invoke_without_command=True)
def root(ctx: typer.Context, config: Config = None, version: Version = False) -> None:
    ctx.obj = config
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


def config_first(arguments: list[str]) -> list[str]:
    """`worker --config FILE` as `--config FILE worker`: the option is the root's, wherever it stands before `--`."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    front: list[str] = []
    rest: list[str] = []
    words = iter(arguments[:end])
    for word in words:
        if word == "--config":
            value = next(words, None)
            if value is None:
                return [word]  # which is told as the mistake it is
            front += [word, value]
        else:
            (front if word.startswith("--config=") else rest).append(word)
    return front + rest + arguments[end:]


def run(arguments: list[str]) -> int:
    """Runs one command and returns its exit code; a mistake is told on stderr."""
    try:
        code = app(config_first(arguments), prog_name="inferwatch", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of the output has gone (`inferwatch schema | head`): nobody is left to be told.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except typer.Abort:
        return 130
    except mistakes.known() as error:
        for line in mistakes.lines(error):
            print(line, file=sys.stderr)
        return getattr(error, "exit_code", 1)
    return code if isinstance(code, int) else 0


def main() -> None:
    """The entry point of the command."""
    # Matrices are small here: threads for them cost more than they save, and a process is meant for one core.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(run(sys.argv[1:]))

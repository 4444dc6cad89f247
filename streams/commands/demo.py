"""`inferwatch demo`, and the simulated serving system in it."""

import typer

from streams.commands.context import settings_of

DEFAULT_JSON_SECONDS = 120.0


def demo(
    seconds: float | None = typer.Option(None, min=1, help="End after so many seconds, with a summary."),
    speed: float = typer.Option(1.0, min=0.1, max=20, help="How fast the simulated world runs."),
    port: int = typer.Option(6066, min=0, max=65535, help="Port of the worker's pages; 0: any free one."),
    as_json: bool = typer.Option(
        False,
        "--json",
        help=f"Print the summary as one JSON object and no more ({DEFAULT_JSON_SECONDS:g} s if not said).",
    ),
    rate: float = typer.Option(300.0, min=50, max=2000, help="Predictions in a simulated second."),
    seed: int = typer.Option(7, min=0, help="Another seed is another world."),
) -> None:
    """See it all at work: a model is watched, goes wrong, is retrained and recovers. Needs nothing else.

    A broker in memory, a worker, a trainer and a simulated serving system run until Ctrl-C. After --seconds the exit
    code says whether the loop has closed: 0 when it has.
    """
    import asyncio
    import json
    import sys

    from rich.console import Console

    from streams.children import ChildEnded
    from streams.demo import DemoOptions, free_port, run
    from streams.narration import closing

    if as_json and seconds is None:
        seconds = DEFAULT_JSON_SECONDS
    options = DemoOptions(seconds, speed, free_port(port), rate, seed, as_json)
    out = Console(file=sys.stderr if as_json else sys.stdout)
    try:
        summary, stopped = asyncio.run(run(options, out))
    except ChildEnded as error:
        raise typer.TyperException(str(error)) from error
    if as_json:
        print(json.dumps(summary))
    else:
        out.print("", *closing(summary, stopped), sep="\n", highlight=False, soft_wrap=True)
    if not summary["recovered"] and not stopped:
        raise typer.Exit(1)


def simulate(
    ctx: typer.Context,
    model: str = typer.Option("credit", help="Name of the simulated model."),
    speed: float = typer.Option(1.0, min=0.1, max=20),
    rate: float = typer.Option(300.0, min=1),
    seed: int = typer.Option(7, min=0),
    change_s: float = typer.Option(15.0, help="The world changes so many simulated seconds after the start,"),
    again_s: float = typer.Option(60.0, help="and again so many after each new version."),
    begin_when: str | None = typer.Option(None, metavar="URL", help="Begin when this address answers with 200."),
) -> None:
    """Publish what a simulated serving system would; its story goes to standard output, a JSON object a line."""
    import secrets
    import time

    from streams.logs import log_lines
    from streams.processes import run_until_told
    from streams.simulator import Simulation, Simulator, json_line

    log_lines()
    simulation = Simulation(model, rate, speed, seed, change_s, again_s)
    run = secrets.token_hex(4)
    service = Simulator(settings_of(ctx), simulation, run, lambda: time.time_ns() // 1_000_000, json_line)
    run_until_told(service.run(begin_when))

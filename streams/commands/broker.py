"""`inferwatch broker`: the embedded broker alone."""

import signal
from typing import Annotated

import typer

from streams.commands.context import settings_of

USUAL_PORT = 9092


def broker(
    ctx: typer.Context,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help=f"Default: {USUAL_PORT}, or any free one where that is taken. 0: any free one."
        ),
    ] = None,
) -> None:
    """Run a broker for trying things out: Kafka's protocol in memory, without Java.

    All topics are there from the start. Everything is lost when it ends, it keeps the newest 5 MB of each partition, it
    does not compact, and only this machine reaches it. For all else take a real Kafka.
    """
    from streams.topics import partition_counts

    topics = partition_counts(settings_of(ctx))
    # Ending by either signal is the way this command ends.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _run(topics, port)
    except KeyboardInterrupt:
        typer.echo("The embedded broker has ended; what it held is gone.")


def _run(topics: dict[str, int], port: int | None) -> None:
    from streams.broker import open_cluster
    from streams.mockcluster import KEPT_BYTES_PER_PARTITION

    try:
        cluster = open_cluster(topics, USUAL_PORT if port is None else port or None)
    except OSError as error:
        if port is not None:
            raise typer.BadParameter(f"--port {port}: {error.strerror}; 0 takes any free one") from error
        cluster = open_cluster(topics)
    kept = KEPT_BYTES_PER_PARTITION // 1024**2
    try:
        typer.echo(f"Embedded broker at {cluster.address}, for trying things out: in memory, the newest {kept} MB of")
        typer.echo(f"each partition, all lost when it ends. Topics: {', '.join(topics)}.")
        if not cluster.address.endswith(f":{USUAL_PORT}"):
            typer.echo(f"Elsewhere: export INFERWATCH_BROKER={cluster.address}")
        typer.echo("Ctrl-C ends it.")
        signal.pause()
    finally:
        cluster.close()

"""`inferwatch worker`: one process of ingest and close."""

import typer

from streams.commands.context import settings_of


def worker(ctx: typer.Context) -> None:
    """Monitor: read predictions, labels and resources, publish windows, alerts and retraining requests.

    Any number of workers share the partitions; each serves /metrics, /healthz and /readyz on its own port.
    """
    from streams.process import run

    run(settings_of(ctx))

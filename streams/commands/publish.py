"""`inferwatch publish`: a file's rows as prediction and label events."""

from collections import Counter
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.commands.context import settings_of
from streams.commands.filerows import Delay, Ignore, Segments, Start, Task, Version, clock, names

if TYPE_CHECKING:
    from app.settings import Settings
    from streams.publish import Sent

SHOWN_EVENTS = 10

Rate = Annotated[float | None, typer.Option(metavar="N", min=0.001, help="Events a second. Default: all at once.")]


def publish(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV, Parquet or JSON lines.", show_default=False)],
    model: Annotated[str, typer.Option(help="The model that the predictions are of.", show_default=False)],
    version: Version = "1",
    task: Task = None,
    segments: Segments = "",
    ignore: Ignore = "",
    rate: Rate = None,
    start: Start = None,
    delay_labels: Delay = 0.0,
    strict: Annotated[bool, typer.Option("--strict", help="Send nothing if any row is mistaken.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the first events and send nothing.")] = False,
) -> None:
    """Send a file of predictions, with their labels where it has any.

    Columns by name: `prediction_id`, `timestamp`, `version`, `prediction`, `probability` (of the positive class: the
    configured one, else the last in sorted order) or `probability_<class>`, `label`, `label_timestamp`, `latency_ms`,
    `error`, `weight`. All others are features. With `prediction_id` and `label` alone it is a file of labels.

    Events are sent in the order of their time: a prediction at its `timestamp`, a label at its `label_timestamp`, else
    with its prediction. Times are RFC 3339 with an offset, epoch seconds or milliseconds. A row without a
    `prediction_id` gets one made of the file's name and the row, so that publishing twice is the same data twice.

    Without a column `timestamp` the rows are 100 a second, the last one now; with --rate they are at that rate from now
    on.

    A mistake in a row is told as file:row: what. The other rows are sent, and the command ends with an error.
    """
    from app.files import open_table
    from app.files.layout import Wishes, kinds, lay_out
    from app.files.ordering import in_time_order
    from streams.fileevents import FileEvents
    from streams.progress import progress, stderr
    from streams.publish import Publisher, prepare

    settings = settings_of(ctx)
    console = stderr()
    configured = settings.model(model)
    task = task or configured.task
    table = open_table(file, kinds(task, names(segments)))
    delay_ms = round(delay_labels * 1000)
    layout = lay_out(
        table,
        Wishes(
            model=model,
            version=version,
            task=task,
            positive=configured.positive,
            segments=names(segments),
            ignore=names(ignore),
            label_delay_ms=delay_ms,
        ),
        *clock(table, rate, start, delay_ms),
    )
    for note in layout.notes:
        console.print(f"{file}: {note}")
    if not dry_run:
        prepare(settings)
    found = FileEvents(table, layout, console.print)
    with progress("reading", table.size, console) as advanced:
        events = in_time_order(found.read(advanced))
        first = list(islice(events, SHOWN_EVENTS))  # comes when all is read
    if dry_run:
        for event in first:
            typer.echo(f"{event.topic} {event.key.decode()} {event.value.decode()}")
        typer.echo(f"Not sent, as asked: {_counted(found.counts)}.")
    elif found.mistaken and strict:
        typer.echo("Nothing was sent: --strict.")
    else:
        publisher = Publisher(settings, rate)
        try:
            with progress("sending", found.counts.total(), console) as advanced:
                publisher.publish(chain(first, events), advanced)
        finally:
            _tell(publisher.sent, model, settings)
    if found.mistaken:
        typer.echo(f"{found.mistaken:,} of {table.size:,} rows were left out for the mistakes told above.", err=True)
        raise typer.Exit(1)


def _counted(counts: Counter[str]) -> str:
    return f"{counts['predictions']:,} predictions and {counts['labels']:,} labels"


def _tell(sent: "Sent", model: str, settings: "Settings") -> None:
    from app.timestamps import rfc3339

    speed = f"{sent.total / sent.seconds:,.0f} a second" if sent.seconds else "at once"
    typer.echo(f"Sent to {settings.broker}: {_counted(sent.counts)} of {model} in {sent.seconds:.1f} s ({speed}).")
    if sent.first_ms is not None and sent.last_ms is not None:
        typer.echo(f"Their time is from {rfc3339(sent.first_ms)} to {rfc3339(sent.last_ms)}.")
    if sent.ahead:
        limit = f"{settings.windows.max_ahead_s:g} s"
        typer.echo(f"{sent.ahead:,} of them are more than {limit} in the future: workers refuse those.", err=True)

"""What `inferwatch baseline fit` fits from: the rows of a file, or of a period of the stream."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from app.drift.fitting import ReferenceData
    from app.files.period_rows import PeriodRows
    from app.settings import Settings, Task


def rows_of_file(
    settings: "Settings", model: str, file: Path, task: "Task | None", segments: list[str], ignored: list[str]
) -> "tuple[ReferenceData, str | None]":
    """The rows, and what is to be said of those that were left out."""
    from app.files import open_table
    from app.files.layout import kinds
    from app.files.reference_rows import read_reference
    from streams.progress import progress, stderr

    own, console = settings.model(model), stderr()
    task = task or own.task
    table = open_table(file, kinds(task, segments))
    for option, names in (("--ignore", ignored), ("--segments", segments)):
        for name in names:
            if name not in table.columns:
                raise typer.BadParameter(f"{option}: {file} has no column {name!r}")
    ignored = ignored + [name for name in (own.quality.freshness,) if name in table.columns]
    with progress("reading", table.size, console) as advanced:
        rows = read_reference(table, task, ignored, advanced, positive=own.positive, segments=segments)
    for mistake in rows.mistakes:
        console.print(mistake)
    if not rows.data.features:
        typer.echo(f"{file}: no column is a feature, so there is nothing to compare with.", err=True)
        raise typer.Exit(1)
    told = f"{len(rows.mistakes):,} of {rows.rows:,} rows were left out for the mistakes told above."
    return rows.data, told if rows.mistakes else None


def rows_of_period(settings: "Settings", model: str, version: str, from_: str, to: str) -> "ReferenceData":
    """Ends the command when the period has no rows."""
    import asyncio

    from app.files.period_rows import PeriodRows
    from app.timestamps import rfc3339
    from streams.baselinetopic import prepare
    from streams.commands.moments import moment_ms

    start, end = moment_ms("--from", from_), moment_ms("--to", to)
    if start >= end:
        raise typer.BadParameter("--from must lie before --to")
    prepare(settings)
    rows = PeriodRows(settings, model, version, start, end)
    asyncio.run(_read(settings, rows))
    if not rows.seen:
        newest = "none at all" if rows.newest is None else f"the newest is of {rows.newest_text()}"
        period = f"{rfc3339(start)} to {rfc3339(end)}"
        typer.echo(f"{model} {version} has no predictions from {period} on {settings.broker}: {newest}.", err=True)
        raise typer.Exit(1)
    return rows.data()


async def _read(settings: "Settings", rows: "PeriodRows") -> None:
    from streams.baselinetopic import extent, read_examples, read_predictions, size
    from streams.progress import progress, stderr

    # No event lies further ahead of its record than this; how far it may lie behind, nobody knows.
    since = rows.start - settings.windows.max_ahead_ms
    predictions, examples = [await extent(settings, topic, since) for topic in ("predictions", "examples")]
    with progress("reading", size(predictions, examples), stderr()) as advanced:
        await read_predictions(settings, predictions, rows, advanced)
        await read_examples(settings, examples, rows, advanced)

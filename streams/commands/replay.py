"""`inferwatch replay`: what Inferwatch would have made of a file of history."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.commands.context import settings_of
from streams.commands.filerows import Delay, Ignore, Segments, Start, Task, Version, clock, names

if TYPE_CHECKING:
    from rich.console import Console

    from app.drift.baseline import Baseline
    from app.files.layout import Wishes
    from app.settings import ModelSettings

Rate = Annotated[
    float | None, typer.Option(metavar="N", min=0.001, help="Rows a second, where they have no timestamp.")
]
Reference = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Rows to fit the baseline from, or a record of the topic baselines (.json)."),
]
Windows = Annotated[Path | None, typer.Option(metavar="OUT.jsonl", help="Where to write the windows, one a line.")]
Alerts = Annotated[Path | None, typer.Option(metavar="OUT.jsonl", help="Where to write the alerts, one a line.")]
Tune = Annotated[bool, typer.Option("--tune", help="Show what other false-alarm budgets would have given.")]


def replay(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV, Parquet or JSON lines.", show_default=False)],
    model: Annotated[str, typer.Option(help="The model that the predictions are of.", show_default=False)],
    baseline: Reference = None,
    windows: Windows = None,
    alerts: Alerts = None,
    tune: Tune = False,
    version: Version = "1",
    task: Task = None,
    segments: Segments = "",
    ignore: Ignore = "",
    rate: Rate = None,
    start: Start = None,
    delay_labels: Delay = 0.0,
) -> None:
    """Run a file of predictions through the monitoring, without a broker, and show what it would have told.

    The columns are those that `publish` takes. Windows, detectors and rules are those of the configuration: what a
    worker publishes for the same file, published, is what is written and shown here.

    Rows count in the order of their time. A Parquet file whose rows stand in it, with each `prediction_id` in one row,
    is read by columns, many times faster than another. Without --baseline each version's is fitted from its first rows.

    A mistake in a row is told as file:row: what. The other rows count, and the command ends with an error.
    """
    from app.files import UnreadableFile, open_table
    from app.files.layout import Wishes, kinds, lay_out
    from streams.progress import stderr
    from streams.replay import Replay

    settings = settings_of(ctx)
    _apart([file, baseline], [windows, alerts])
    console = stderr()
    wishes = Wishes(
        model=model,
        version=version,
        task=task or settings.model(model).task,
        positive=settings.model(model).positive,
        segments=names(segments),
        ignore=names(ignore),
        label_delay_ms=round(delay_labels * 1000),
    )
    table = open_table(file, kinds(wishes.task, wishes.segments))
    layout = lay_out(table, wishes, *clock(table, rate, start, wishes.label_delay_ms))
    if not layout.has_predictions:
        raise UnreadableFile(f"{file}: labels alone can't be replayed: put them beside their predictions")
    for note in layout.notes:
        console.print(f"{file}: {note}")
    given = None if baseline is None else _baseline(baseline, wishes, settings.model(model), console)
    run = Replay(table, layout, settings, console, given, tune)
    run.run({"windows": windows, "alerts": alerts})
    if run.mistaken:
        typer.echo(f"{run.mistaken:,} of {table.size:,} rows were left out for the mistakes told above.", err=True)
        raise typer.Exit(1)


def _apart(read: list[Path | None], written: list[Path | None]) -> None:
    """Refuses to write over a file that is read or written already."""
    taken = [path.resolve() for path in read if path is not None]
    for path in (path for path in written if path is not None):
        if path.resolve() in taken:
            raise typer.BadParameter(f"{path} is read or written already: name another file")
        taken.append(path.resolve())


def _baseline(path: Path, wishes: "Wishes", own: "ModelSettings", console: "Console") -> "Baseline":
    """A record as it is on `baselines`, or fitted from rows as `inferwatch baseline fit` does."""
    from app.drift.fitting import fit
    from app.files import UnreadableFile, open_table
    from app.files.layout import kinds
    from app.files.reference_rows import read_reference
    from streams.progress import progress

    if (record := _record(path)) is not None:
        return record
    table = open_table(path, kinds(wishes.task, wishes.segments))
    left_out = [name for name in (*wishes.ignore, *wishes.segments, own.quality.freshness) if name in table.columns]
    with progress("reading the baseline", table.size, console) as advanced:
        rows = read_reference(table, wishes.task, left_out, advanced)
    for mistake in rows.mistakes:
        console.print(mistake)
    if not rows.data.size:
        raise UnreadableFile(f"{path}: no rows to fit a baseline from")
    written_ms = path.stat().st_mtime_ns // 1_000_000
    return fit(wishes.model, wishes.version, rows.data, created_at=written_ms, origin="file", text=own.text)


def _record(path: Path) -> "Baseline | None":
    """The baseline that the file is the record of; None when it holds rows."""
    import orjson

    from app.drift.baseline import Baseline
    from app.files import UnreadableFile

    if path.suffix != ".json":
        return None
    try:
        record = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError:
        return None  # JSON lines
    if not isinstance(record, dict) or "features" not in record:
        return None
    try:
        return Baseline.from_record(record)
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableFile(f"{path}: no baseline: {error!r}") from error

"""`inferwatch baseline`: the reference that a model version's features are compared with."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from streams.commands.context import settings_of

if TYPE_CHECKING:
    from app.drift.baseline import Baseline

baseline = typer.Typer()


@baseline.callback(invoke_without_command=True)
def root(ctx: typer.Context) -> None:
    """Fit the reference that features are compared with."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


@baseline.command()
def fit(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV, Parquet or JSON lines.", show_default=False)],
    model: Annotated[str, typer.Option(help="The model that it is for.", show_default=False)],
    version: Annotated[str, typer.Option(help="Its version.", show_default=False)],
    task: Annotated[
        Literal["classification", "regression"] | None,
        typer.Option(metavar="TASK", help="classification or regression, where the file's numbers leave it open."),
    ] = None,
    ignore: Annotated[str, typer.Option(metavar="A,B", help="Columns to leave out.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the reference and publish nothing.")] = False,
) -> None:
    """Fit the reference of a model version from a file, and publish it.

    The file has the columns that `publish` takes: all that are no ids, times, labels and the like are features, and
    `prediction`, where there is one, gives the distribution of predictions. Workers compare with it from the next
    events on. It holds bins and counts, and of a sample of rows which bins their values lie in.
    """
    import asyncio
    import time

    from app.drift.fitting import fit as fit_baseline
    from app.files import open_table
    from app.layout import kinds
    from app.reference_rows import read_reference
    from streams.progress import progress, stderr

    settings = settings_of(ctx)
    console = stderr()
    task = task or settings.model(model).task
    table = open_table(file, kinds(task, ()))
    ignored = [name.strip() for name in ignore.split(",") if name.strip()]
    for name in ignored:
        if name not in table.columns:
            raise typer.BadParameter(f"--ignore: {file} has no column {name!r}")
    freshness = settings.model(model).quality.freshness
    ignored += [freshness] if freshness in table.columns else []
    with progress("reading", table.size, console) as advanced:
        rows = read_reference(table, task, ignored, advanced)
    for mistake in rows.mistakes:
        console.print(mistake)
    if not rows.data.features:
        typer.echo(f"{file}: no column is a feature, so there is nothing to compare with.", err=True)
        raise typer.Exit(1)
    now_ms = time.time_ns() // 1_000_000
    own = settings.model(model)
    fitted = fit_baseline(
        model,
        version,
        rows.data,
        created_at=now_ms,
        origin="file",
        text=own.text,
        sample_rows=own.baseline.sample_rows,
    )
    for line in _told(fitted):
        typer.echo(line)
    if dry_run:
        typer.echo("Not published, as asked.")
    else:
        asyncio.run(_publish(ctx, fitted))
    if rows.mistakes:
        typer.echo(f"{len(rows.mistakes):,} of {rows.rows:,} rows were left out for the mistakes told above.", err=True)
        raise typer.Exit(1)


async def _publish(ctx: typer.Context, fitted: "Baseline") -> None:
    from app.identity import version_key
    from app.messages import Message
    from streams.outputs import Outputs
    from streams.publish import prepare

    settings = settings_of(ctx)
    prepare(settings)
    outputs = Outputs(settings)
    await outputs.start()
    try:
        await outputs.send([Message("baselines", version_key(fitted.model, fitted.version), fitted.to_record())])
    finally:
        await outputs.stop()
    typer.echo(f"Published to {settings.broker} as baseline {fitted.baseline_id} of {fitted.model} {fitted.version}.")


def _told(fitted: "Baseline") -> list[str]:
    from app.drift.references import CategoryReference, NumberReference
    from app.relations.texts import TextReference

    lines = [f"{fitted.size:,} rows, {len(fitted.features)} features:"]
    for name, reference in fitted.features.items():
        if isinstance(reference, NumberReference):
            lines.append(f"  {name}: {reference.minimum:g} to {reference.maximum:g}")
        elif isinstance(reference, CategoryReference):
            shown = ", ".join(list(reference.categories)[:5])
            lines.append(f"  {name}: {shown}{', ...' if len(reference.categories) > 5 else ''}")
        elif isinstance(reference, TextReference):
            lines.append(f"  {name}: text, a vocabulary of {len(reference.vocabulary):,} words")
        else:
            lines.append(f"  {name}: lists of numbers")
    return lines

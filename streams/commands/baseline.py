"""`inferwatch baseline`: the references that the features of model versions are compared with."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from streams.commands.context import settings_of

if TYPE_CHECKING:
    from app.drift.baseline import Baseline
    from app.drift.fitting import ReferenceData
    from app.settings import Settings

baseline = typer.Typer()

ALWAYS = "always"
Model = Annotated[str, typer.Option(help="The model that it is for.", show_default=False)]
Version = Annotated[str, typer.Option(help="Its version.", show_default=False)]
EffectiveFrom = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="Event time from which it counts, or always. Without it: always where the version has no baseline yet, "
        "else from the next window that its events have not reached.",
    ),
]


@baseline.callback(invoke_without_command=True)
def root(ctx: typer.Context) -> None:
    """Fit, inherit, list and show the references that features are compared with."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


@baseline.command()
def fit(
    ctx: typer.Context,
    model: Model,
    version: Version,
    file: Annotated[
        Path | None, typer.Argument(help="CSV, Parquet or JSON lines. Without it: the stream.", show_default=False)
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="The period's begin: a time, or how long ago (7d, 2h).")
    ] = None,
    to: Annotated[str | None, typer.Option(metavar="TIME", help="The period's end, which is not in it.")] = None,
    task: Annotated[
        Literal["classification", "regression"] | None,
        typer.Option(metavar="TASK", help="classification or regression, where the file's numbers leave it open."),
    ] = None,
    segments: Annotated[str, typer.Option(metavar="A,B", help="Columns of the file that are segments.")] = "",
    ignore: Annotated[str, typer.Option(metavar="A,B", help="Columns of the file to leave out.")] = "",
    effective_from: EffectiveFrom = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the reference and publish nothing.")] = False,
) -> None:
    """Fit the reference of a model version from a file or from a period of the stream, and publish it.

    A file has the columns that `publish` takes: all that are no ids, times, labels and the like are features. A period
    is read from `predictions`, with the labels that were joined to them. The reference holds bins and counts, and of a
    sample of rows which bins their values lie in.
    """
    from streams.commands.baseline_rows import rows_of_file, rows_of_period

    settings = settings_of(ctx)
    if (file is None) != (from_ is not None and to is not None) or (file is not None and (from_ or to)):
        raise typer.BadParameter("a reference is fitted from a FILE, or from a period: both --from and --to")
    if file is None:
        assert from_ is not None
        assert to is not None
        data, left_out = rows_of_period(settings, model, version, from_, to), None
    else:
        data, left_out = rows_of_file(settings, model, file, task, _names(segments), _names(ignore))
    fitted = _fitted(settings, model, version, data, "period" if file is None else "file")
    _finish(settings, fitted, effective_from, dry_run)
    if left_out:
        typer.echo(left_out, err=True)
        raise typer.Exit(1)


@baseline.command()
def inherit(
    ctx: typer.Context,
    model: Model,
    version: Annotated[str, typer.Option(help="The version that is to have it.", show_default=False)],
    of: Annotated[str, typer.Option(metavar="VERSION", help="The version whose reference it is.", show_default=False)],
    effective_from: EffectiveFrom = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the reference and publish nothing.")] = False,
) -> None:
    """Compare a model version with the reference of another one, and say so in its record."""
    from app.drift.inheriting import inherit as inherited

    settings = settings_of(ctx)
    _finish(settings, inherited(newest_of(settings, model, of), version, _now_ms(), None), effective_from, dry_run)


@baseline.command("list")
def list_baselines(
    ctx: typer.Context,
    model: Annotated[str | None, typer.Option(help="Only of this model.", show_default=False)] = None,
) -> None:
    """Tell which model versions have references, what of, and since when they count."""
    import asyncio

    from streams.baselinetext import list_lines
    from streams.baselinetopic import prepare, read_baselines

    settings = settings_of(ctx)
    prepare(settings)
    found = asyncio.run(read_baselines(settings))
    chosen = [one for (name, _), own in sorted(found.items()) if model in (None, name) for one in own.baselines]
    lines = list_lines(chosen) or [f"No baselines on {settings.broker}{f' of {model}' if model else ''}."]
    typer.echo("\n".join(lines))


@baseline.command()
def show(
    ctx: typer.Context,
    model: Annotated[str, typer.Option(help="The model.", show_default=False)],
    version: Version,
    as_json: Annotated[bool, typer.Option("--json", help="The whole record.")] = False,
) -> None:
    """Show the newest reference of a model version."""
    import orjson

    from streams.baselinetext import lines_of

    newest = newest_of(settings_of(ctx), model, version)
    if as_json:
        typer.echo(orjson.dumps(newest.to_record(), option=orjson.OPT_INDENT_2).decode())
    else:
        typer.echo("\n".join(lines_of(newest)))


def newest_of(settings: "Settings", model: str, version: str) -> "Baseline":
    """The one that counts last. Ends the command when there is none."""
    import asyncio

    from streams.baselinetopic import prepare, read_baselines

    prepare(settings)
    found = asyncio.run(read_baselines(settings))
    if (model, version) not in found:
        known = ", ".join(own for name, own in sorted(found) if name == model)
        typer.echo(
            f"{model} {version} has no baseline{f'; versions that have one: {known}' if known else ''}.", err=True
        )
        raise typer.Exit(1)
    return found[model, version].baselines[-1]


def _fitted(settings: "Settings", model: str, version: str, data: "ReferenceData", origin: str) -> "Baseline":
    from app.drift.fitting import fit as fit_baseline

    own = settings.model(model)
    more = {"text": own.text, "sample_rows": own.baseline.sample_rows}
    return fit_baseline(model, version, data, created_at=_now_ms(), origin=origin, **more)  # type: ignore[arg-type]


def _finish(settings: "Settings", fitted: "Baseline", effective_from: str | None, dry_run: bool) -> None:
    from streams.baselinetext import lines_of

    typer.echo("\n".join(lines_of(fitted)))
    if dry_run:
        typer.echo("Not published, as asked.")
        return
    import asyncio

    from streams.baselinetext import since
    from streams.baselinetopic import prepare

    prepare(settings)
    published = asyncio.run(_publish(settings, fitted, effective_from))
    what = f"baseline {published.baseline_id} of {published.model} {published.version}"
    typer.echo(f"Published to {settings.broker} as {what}, which counts from {since(published)}.")


async def _publish(settings: "Settings", fitted: "Baseline", effective_from: str | None) -> "Baseline":
    from dataclasses import replace

    from streams.baselinetopic import edge_ahead, publish, read_baselines
    from streams.commands.moments import moment_ms

    start: int | None = None
    if effective_from not in (None, ALWAYS):
        start = moment_ms("--effective-from", str(effective_from))
    elif effective_from is None and (fitted.model, fitted.version) in await read_baselines(settings):
        start = await edge_ahead(settings, fitted.model, fitted.version, _now_ms())
    published = replace(fitted, effective_from=start)
    await publish(settings, published)
    return published


def _names(listed: str) -> list[str]:
    return [name.strip() for name in listed.split(",") if name.strip()]


def _now_ms() -> int:
    import time

    return time.time_ns() // 1_000_000

"""`inferwatch dead-letters`: what could not be used, and sending it again once it can."""

from typing import TYPE_CHECKING, Annotated

import typer

from streams.commands.context import settings_of

if TYPE_CHECKING:
    from app.letters.deadletters import Survey, Wanted
    from app.letters.mending import Transform
    from app.settings import Settings
    from streams.reading import Ranges
    from streams.redelivery import Done

dead_letters = typer.Typer()

Reasons = Annotated[
    list[str] | None, typer.Option("--reason", metavar="R", help="Only of this reason; may be repeated.")
]
Topics = Annotated[
    list[str] | None, typer.Option("--topic", metavar="T", help="Only of records of this topic; may be repeated.")
]
Since = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Only of records from then on: a time, or how long ago (30s, 15m, 2h, 3d)."),
]


@dead_letters.callback(invoke_without_command=True)
def root(ctx: typer.Context) -> None:
    """List, show and replay what could not be used."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


@dead_letters.command("list")
def list_letters(
    ctx: typer.Context,
    reason: Reasons = None,
    topic: Topics = None,
    since: Since = None,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Tell by reason how many letters there are, of which topics and time, with the newest of each.

    The number in front of the newest is what `dead-letters show` takes. A record that a worker refused twice, since it
    read it again after a crash, is one letter. Replayed letters are counted until the topic forgets them.
    """
    import asyncio

    from app.letters.deadletters import Survey
    from streams.deadletters import take_stock
    from streams.progress import progress, stderr

    settings = settings_of(ctx)
    survey = Survey(_wanted(reason, topic, since))
    _, ranges, total = _extent(settings)
    with progress("reading", total, stderr()) as advanced:
        asyncio.run(take_stock(settings, ranges, survey, advanced))
    if as_json:
        _print_json(survey)
    else:
        _print_groups(survey, settings)


@dead_letters.command()
def show(
    ctx: typer.Context,
    place: Annotated[str, typer.Argument(metavar="PARTITION", help="Or PARTITION/OFFSET, as `list` tells it.")],
    offset: Annotated[int | None, typer.Argument(min=0, show_default=False, help="In `dead-letters`.")] = None,
) -> None:
    """Show one letter whole, with the record's bytes as text where they are text."""
    import asyncio

    from app.letters.lettertext import letter_lines
    from streams.deadletters import letter_at, partition_counts

    settings = settings_of(ctx)
    partition, _, within = place.partition("/")
    at = within if offset is None else str(offset)
    if not (partition.isdecimal() and at.isdecimal()) or (within and offset is not None):
        raise typer.BadParameter(f"no letter is called {' '.join(filter(None, [place, at]))!r}: PARTITION OFFSET")
    partition_counts(settings)
    letter = asyncio.run(letter_at(settings, int(partition), int(at)))
    if letter is None:
        typer.echo(f"No dead letter is at {partition}/{at} on {settings.broker}.", err=True)
        raise typer.Exit(1)
    typer.echo("\n".join(letter_lines(letter)))


@dead_letters.command()
def replay(
    ctx: typer.Context,
    reason: Reasons = None,
    topic: Topics = None,
    since: Since = None,
    with_: Annotated[
        str | None,
        typer.Option("--with", metavar="MODULE:FUNCTION", help="Called with each record to mend it; see above."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Send letters back to their topics, as they are or mended, each once.

    A function given by --with, looked for in the current directory too, gets a record as a dict where it is a JSON
    object, else as bytes, and returns what is to be sent (a dict or bytes), or None to leave the letter.

    What workers would refuse again is not sent: it stays a letter, and the command says why. So do letters that hold
    only the beginning of a very large record. A letter that was sent is not sent by a later replay, also when this one
    is killed on the way. Run one replay at a time.
    """
    import asyncio

    from app.letters.deadletters import Ledger
    from app.letters.mending import TransformError
    from streams.deadletters import take_stock
    from streams.progress import progress, stderr
    from streams.redelivery import Redelivery

    settings = settings_of(ctx)
    ledger = Ledger(_wanted(reason, topic, since))
    transform = None if with_ is None else _transform(with_)
    partitions, ranges, total = _extent(settings)
    with progress("reading", total, stderr()) as advanced:
        asyncio.run(take_stock(settings, ranges, ledger, advanced))
    waiting = len(ledger.open())
    known = len(ledger.letters) - waiting
    if not waiting:
        typer.echo(f"Nothing to replay on {settings.broker}" + (f": all {known:,} were replayed." if known else "."))
        return
    if not (dry_run or yes):
        typer.confirm(f"Replay {waiting:,} dead letters to {settings.broker}?", abort=True)

    async def deliver() -> None:
        redelivery = Redelivery(settings, partitions, ledger, transform, dry_run)
        try:
            with progress("replaying", total, stderr()) as advanced:
                await redelivery.run(ranges, advanced)
        finally:
            _tell(redelivery.done, settings, dry_run)

    try:
        asyncio.run(deliver())
    except TransformError as error:
        raise typer.BadParameter(f"--with {with_}: {error}") from error


def _wanted(reasons: list[str] | None, topics: list[str] | None, since: str | None) -> "Wanted":
    from app.letters.deadletters import Wanted
    from streams.commands.moments import moment_ms

    return Wanted(
        frozenset(reasons or ()), frozenset(topics or ()), None if since is None else moment_ms("--since", since)
    )


def _extent(settings: "Settings") -> "tuple[dict[str, int], Ranges, int]":
    """The topics' partitions, what `dead-letters` holds now, and how much that is."""
    import asyncio

    from streams.deadletters import TOPIC, extent, partition_counts, size

    partitions = dict(partition_counts(settings))
    ranges = asyncio.run(extent(settings, TOPIC, partitions[TOPIC]))
    return partitions, ranges, size(ranges)


def _transform(name: str) -> "Transform":
    from app.letters.mending import TransformError
    from streams.transforms import load

    try:
        return load(name)
    except TransformError as error:
        raise typer.BadParameter(f"--with {name}: {error}") from error


def _print_json(survey: "Survey") -> None:
    import orjson

    from app.letters.lettertext import group_record

    groups = [group_record(reason, group) for reason, group in survey.groups().items()]
    told = {
        "letters": sum(group["letters"] for group in groups),
        "replayed": sum(group["replayed"] for group in groups),
        "unreadable": survey.ledger.unreadable,
        "reasons": groups,
    }
    typer.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())


def _print_groups(survey: "Survey", settings: "Settings") -> None:
    from app.letters.lettertext import group_lines

    groups = survey.groups()
    if not groups:
        narrowed = " that match" if survey.ledger.wanted.narrows() else ""
        typer.echo(f"No dead letters{narrowed} on {settings.broker}.")
    for reason, group in groups.items():
        typer.echo("\n".join(group_lines(reason, group)))
    if survey.ledger.unreadable:
        typer.echo(f"{survey.ledger.unreadable:,} records of the topic are no letters.", err=True)


def _tell(done: "Done", settings: "Settings", dry_run: bool) -> None:
    if dry_run:
        for one in done.first:
            typer.echo(f"{one.letter.event.topic} {(one.key or b'').decode()} {one.value.decode(errors='replace')}")
    topics = [f"{count:,} to {topic}" for topic, count in sorted(done.sent.items()) if count]
    verb = "Would send" if dry_run else "Sent"
    typer.echo(f"{verb} on {settings.broker}: {', '.join(topics) or 'nothing'}.")
    if done.found:
        typer.echo(f"{done.found:,} had been sent already by a replay that was interrupted.")
    for why, count in done.left.most_common():
        typer.echo(f"Not sent: {count:,} ({why}).")

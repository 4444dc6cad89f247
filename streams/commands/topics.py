"""`inferwatch topics`: makes the topics, and says what of them is not as it should be."""

from typing import TYPE_CHECKING, Annotated

import typer

from streams.commands.context import settings_of

if TYPE_CHECKING:
    from streams.topics import Difference, TopicPlan

topics = typer.Typer()


@topics.callback(invoke_without_command=True)
def root(ctx: typer.Context) -> None:
    """Make and check the topics."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


@topics.command()
def create(
    ctx: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be made, and make nothing.")] = False,
) -> None:
    """Make the topics that are missing, with their partitions, replication, retention and compaction.

    What is there stays as it is; where it differs from the plan the command says so and ends with an error.
    """
    from streams.topicadmin import TopicAdmin
    from streams.topics import count, differences, plans, unequal

    settings = settings_of(ctx)
    planned = plans(settings)
    admin = TopicAdmin(settings.broker)
    names = [plan.name for plan in planned]
    if dry_run:
        there = admin.facts(names)
        for plan in planned:
            typer.echo(f"{plan.name}: " + ("is there" if plan.name in there else f"would be made: {_described(plan)}"))
        return
    made = admin.create(planned)
    facts = admin.facts(names)
    for plan in planned:
        what = _described(plan) if not made.by_metadata else count(facts[plan.name].partitions, "partition")
        typer.echo(f"{plan.name}: " + (f"made: {what}" if plan.name in made.created else "was there"))
    if made.by_metadata:
        how = "it made them by being asked for them, and" if made.created else "they were there from the start, and it"
        typer.echo(f"This is an embedded broker: {how} takes no settings.")
    if _tell(unequal(planned, facts), differences(planned, facts)):
        raise typer.Exit(1)


@topics.command()
def check(ctx: typer.Context) -> None:
    """Compare the topics on the broker with the plan. Every difference is a line, and ends in an error.

    Keeping records longer, or allowing larger ones, than planned is told but no error.
    """
    from streams.topicadmin import TopicAdmin
    from streams.topics import differences, plans, unequal

    settings = settings_of(ctx)
    planned = plans(settings)
    admin = TopicAdmin(settings.broker)
    facts = admin.facts(plan.name for plan in planned)
    if admin.is_embedded():
        typer.echo("This is an embedded broker: it tells names and partitions, and no settings.")
    if _tell(unequal(planned, facts), differences(planned, facts)):
        raise typer.Exit(1)
    typer.echo(f"All {len(planned)} topics on {settings.broker} are as planned.")


def _described(plan: "TopicPlan") -> str:
    from streams.topics import count, shown

    settings = [f"{key} {shown(key, value)}" for key, value in plan.config.items()]
    return ", ".join([count(plan.partitions, "partition"), f"replication {plan.replication}", *settings])


def _tell(refusals: list[str], differences: "list[Difference]") -> bool:
    """Prints all of it. Whether any of it is a fault."""
    for one in differences:
        typer.echo(f"{one.topic}: {one.what}{' (no harm)' if one.harmless else ''}")
    for line in refusals:
        typer.echo(line, err=True)
    return bool(refusals) or not all(one.harmless for one in differences)

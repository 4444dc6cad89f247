"""Runs -> medians with their spread, and what they are held against."""

from collections.abc import Callable, Iterator, Sequence
from statistics import median

from bench.checks import Check, Spread, spread
from bench.runs import Result
from bench.variants import (
    BACKLOG,
    BATCHES,
    JOIN,
    LATENCY,
    LIMIT,
    LONG,
    PENDING,
    PLAIN,
    REBUILD,
    SEGMENTS,
    STOCK,
    VARIANTS,
)

# Room for what an allocator does not give back, where nothing grows.
STEADY = 1.1
GROWN = {LONG: "four times the events", BACKLOG: "four times the pairs"}


def of(results: Sequence[Result], variant: str) -> list[Result]:
    """The variant's runs, in the order of the rounds."""
    return [result for result in results if result.variant == variant]


def ratio(results: Sequence[Result], above: str, below: str) -> Spread | None:
    """CPU of one variant in that of another, round by round: a noisy neighbour slows both down."""
    rounds = zip(of(results, above), of(results, below), strict=False)
    ratios = [one.cpu_s_per_million / other.cpu_s_per_million for one, other in rounds]
    return spread(ratios) if ratios else None


def table(results: Sequence[Result]) -> list[str]:
    """A line for each variant that ran."""
    head = ("", "CPU s per million", "a second", "peak RSS, MB", "main thread", "start, CPU s", "bytes")
    lines: list[tuple[str, ...]] = [head]
    for variant in VARIANTS:
        own = of(results, variant.name)
        if own:
            lines.append((f"{variant.title} [{variant.name}]", f"{_told(own, _cost)} {variant.unit}s", *_others(own)))
        if own and variant is LONG:
            quarter, whole = _told(own, lambda one: one.quarter_rss_mb or 0.0, 0), _told(own, lambda one: one.rss_mb, 0)
            lines.append(("  memory after a quarter, after all", f"{quarter} MB, {whole} MB", "", "", "", "", ""))
        if own and variant is JOIN:
            lines.append(("  the same by records", f"{_told(own, _cost_of_records)} records", "", "", "", "", ""))
        for what in own[0].figures if own else ():
            lines.append((f"  {what}", _figure(own, what).told(), "", "", "", "", ""))
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def _others(own: Sequence[Result]) -> tuple[str, ...]:
    return (
        _told(own, lambda one: one.per_second, 0),
        _told(own, lambda one: one.peak_mb, 0),
        f"{median(one.main_share for one in own):.0%}",
        f"{median(one.start_cpu_s for one in own):.1f}",
        f"{own[0].value_bytes / own[0].rows:.0f}",
    )


def _told(own: Sequence[Result], figure: Callable[[Result], float], digits: int = 2) -> str:
    return spread([figure(one) for one in own]).told(digits)


def _figure(own: Sequence[Result], what: str) -> Spread:
    return spread([one.figures[what] for one in own])


def _cost(one: Result) -> float:
    return one.cpu_s_per_million


def _cost_of_records(one: Result) -> float:
    return one.cpu_s / one.records * 1e6


def checks(results: Sequence[Result]) -> list[Check]:
    """Those whose variants ran."""
    found = []
    plain, batches = of(results, PLAIN.name), of(results, BATCHES.name)
    if plain:
        found.append(Check("worker, CPU s per million events", spread([_cost(one) for one in plain]), 9))
    for what, above, below, target, most in (
        ("worker, times the limit", PLAIN, LIMIT, 1.8, True),
        ("ordinary Faust agent, times the worker", STOCK, PLAIN, 15, False),
        ("two segment columns, times the worker without", SEGMENTS, PLAIN, 1.5, True),
    ):
        figure = ratio(results, above.name, below.name)
        if figure is not None:
            found.append(Check(what, figure, target, most))
    if batches:
        found.append(Check("batches, CPU s per million rows", spread([_cost(one) for one in batches]), 4))
    for variant in (LONG, BACKLOG):
        growth = [one.rss_mb / one.quarter_rss_mb for one in of(results, variant.name) if one.quarter_rss_mb]
        if growth:
            found.append(Check(f"memory after {GROWN[variant]}, times", spread(growth), STEADY))
    return [*found, *_of_the_join(results)]


def _of_the_join(results: Sequence[Result]) -> Iterator[Check]:
    pending, rebuild, latency = (of(results, one.name) for one in (PENDING, REBUILD, LATENCY))
    if pending:
        yield Check("pairs beside those that wait, CPU s per million", spread([_cost(one) for one in pending]), 20)
        yield Check("memory beside those that wait, MB", spread([one.peak_mb for one in pending]), 1500)
    if rebuild:
        yield Check("stores made anew, minutes for 10 million", _figure(rebuild, "minutes for 10 million"), 3)
    if latency:
        what = "from a window's end and the lateness to its publication, p99, s"
        yield Check(what, _figure(latency, what), 1.5)

"""What was measured, as lines for people, and held against its targets."""

from collections import Counter
from collections.abc import Iterable, Sequence
from math import inf

import numpy as np

from bench.checks import Check, Spread
from bench.statistics.delays import Delay, quantile
from bench.statistics.poisson import interval
from bench.statistics.scenarios import SCENARIOS, Scenario
from bench.statistics.setup import Setup
from bench.statistics.stationary import PRODUCT, Alarms

Line = tuple[str, ...]
STREAMS = {False: "i.i.d.", True: "wandering, with a course of the day"}
MOST_RATIO = 1.5
RESAMPLES = 500


def rate(found: Sequence[Alarms], method: str, period: float) -> Spread:
    """Alerts in `period` days, with the exact interval."""
    alerts = sum(one.alerts[method] for one in found)
    days = sum(one.days[method] for one in found)
    low, high = interval(alerts)
    return Spread(alerts / days * period, low / days * period, high / days * period)


def alarm_lines(found: Sequence[Alarms], period: float) -> list[str]:
    """A line for each method, a pair of columns for each kind of stream."""
    kinds = [kind for kind in STREAMS if any(one.wandering is kind for one in found)]
    lines: list[Line] = [(f"alerts in {period:g} days (95 % interval)", *(STREAMS[kind] for kind in kinds))]
    for method in found[0].alerts:
        own = [rate([one for one in found if one.wandering is kind], method, period) for kind in kinds]
        lines.append((method, *(_rate(one) for one in own)))
    rules = sum((Counter(one.rules) for one in found), Counter[str]())
    told = ", ".join(f"{name}: {count}" for name, count in sorted(rules.items())) or "none"
    return [*aligned(lines), f"Incidents of {PRODUCT} in all, by rule: {told}"]


def _rate(one: Spread) -> str:
    digits = 0 if one.middle >= 100 else 2
    return one.told(digits)


def alarm_checks(found: Sequence[Alarms], budget: float, period: float) -> list[Check]:
    """The budget, for each kind of stream."""
    checks = []
    for kind, title in STREAMS.items():
        own = [one for one in found if one.wandering is kind]
        if own:
            checks.append(Check(f"alerts in {period:g} days, {title}", rate(own, PRODUCT, period), budget))
    return checks


def delay_lines(found: Sequence[Delay], setup: Setup, run_lengths: dict[str, float]) -> list[str]:
    """For each scenario, the product, then the others by their median. `run_lengths`: in windows, by scenario."""
    lines: list[Line] = [("windows until told: median, p90", "", "", "labels or events", "told as")]
    for scenario in SCENARIOS:
        own = [one for one in found if one.scenario == scenario.name]
        if not own:
            continue
        bound = scenario.lorden(setup, run_lengths[scenario.name])
        lines.append((f"{scenario.title} [{scenario.name}]", f"{bound:.1f}", "", "", "Lorden's bound, log(A) / KL"))
        methods = sorted({one.method for one in own}, key=lambda name: (name != PRODUCT, _median(own, name), name))
        lines += [_delay_line(own, scenario, method) for method in methods]
    return aligned(lines)


def _delay_line(own: Sequence[Delay], scenario: Scenario, method: str) -> Line:
    told = [one for one in own if one.method == method]
    windows, outcomes = [one.windows for one in told], [one.outcomes for one in told]
    rules = Counter(one.rule or "never" for one in told)
    name = method if method == PRODUCT else f"river {method}"
    return (
        f"  {name}",
        _number(quantile(windows, 0.5)),
        _number(quantile(windows, 0.9)),
        f"{_number(quantile(outcomes, 0.5))}, {_number(quantile(outcomes, 0.9))} {scenario.unit}",
        ", ".join(f"{rule}: {count}" for rule, count in rules.most_common()) if method == PRODUCT else "",
    )


def delay_checks(found: Sequence[Delay]) -> list[Check]:
    """The product's median delay in that of the best of the others, with a bootstrap interval over the seeds."""
    checks = []
    for scenario in SCENARIOS:
        own = [one for one in found if one.scenario == scenario.name]
        others = {one.method for one in own} - {PRODUCT}
        if not others:
            continue
        best = min(others, key=lambda name: (_median(own, name), name))
        ratios = Spread(_median(own, PRODUCT) / _median(own, best), *_bootstrapped(own, best))
        checks.append(Check(f"{scenario.title}, times river {best}", ratios, MOST_RATIO))
    return checks


def _bootstrapped(own: Sequence[Delay], best: str) -> tuple[float, float]:
    rng = np.random.default_rng(1)
    seeds = sorted({one.seed for one in own})
    by_seed = {(one.method, one.seed): one.windows for one in own}
    ratios = []
    for _ in range(RESAMPLES):
        drawn = rng.choice(seeds, len(seeds)).tolist()
        above, below = ([by_seed[method, seed] for seed in drawn] for method in (PRODUCT, best))
        under = quantile(below, 0.5)
        ratios.append(quantile(above, 0.5) / under if under < inf else 0.0)
    low, high = np.quantile(ratios, (0.025, 0.975), method="nearest").tolist()
    return low, high


def _median(own: Sequence[Delay], method: str) -> float:
    return quantile([one.windows for one in own if one.method == method], 0.5)


def _number(value: float) -> str:
    return "never" if value == inf else f"{value:,.0f}"


def aligned(lines: Iterable[Line]) -> list[str]:
    """Columns as wide as their widest cell."""
    rows = list(lines)
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]

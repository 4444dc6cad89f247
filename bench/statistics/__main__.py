"""make bench-statistics: false alarms of stationary streams, and delays until a change is told, from simulation.

Windows are drawn as sufficient statistics and go the product's own way from there on; nothing needs a broker.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from app.settings import FalseAlarmSettings
from bench.checks import verdict
from bench.statistics import estimates
from bench.statistics.calibration import Curve, curve
from bench.statistics.delays import HEALTHY_WINDOWS, Delay, delays
from bench.statistics.nannyml_data import NoDataError
from bench.statistics.poisson import likely
from bench.statistics.river_kinds import kinds_for
from bench.statistics.scenarios import SCENARIOS, VALUES, Scenario
from bench.statistics.setup import Setup
from bench.statistics.stationary import PRODUCT, QUIET, Alarms, stationary
from bench.statistics.tables import alarm_checks, alarm_lines, delay_checks, delay_lines
from bench.statistics.workers import work

SEEDS, EVENTS, DAYS = 20, 10_000_000, 30.0
WINDOW_S, DELAY_WINDOW_S, OUTCOMES = 7200, 60, 300_000
FEW_FEATURES, FEW_SEGMENTS = 10, 2
PARTS = ("stationary", *(scenario.name for scenario in SCENARIOS), "estimates")


def arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.statistics", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"streams of each kind (default: {SEEDS})")
    parser.add_argument("--events", type=int, default=EVENTS, help=f"in each stationary stream (default: {EVENTS:,})")
    parser.add_argument("--days", type=float, default=DAYS, help=f"that these take (default: {DAYS:g})")
    parser.add_argument("--features", type=int, default=Setup().features, help="(default: %(default)s)")
    parser.add_argument("--segments", type=int, default=Setup().segments, help="(default: %(default)s)")
    parser.add_argument("--window-s", type=int, default=WINDOW_S, help="of stationary streams (default: %(default)s)")
    parser.add_argument("--delay-window-s", type=int, default=DELAY_WINDOW_S, help="of delays (default: %(default)s)")
    parser.add_argument(
        "--outcomes", type=int, default=OUTCOMES, help="at most for each of river's run lengths (default: %(default)s)"
    )
    parser.add_argument("--processes", type=int, default=None, help="(default: one for each CPU)")
    parser.add_argument("--only", type=parts, default=PARTS, metavar="NAME,...", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write what each stream gave")
    return parser.parse_args(words)


def parts(names: str) -> tuple[str, ...]:
    """Those named; `delays` are all scenarios. Raises ArgumentTypeError."""
    wanted = {part for name in names.split(",") for part in (PARTS[1:-1] if name == "delays" else (name,))}
    if unknown := wanted - set(PARTS):
        raise argparse.ArgumentTypeError(f"no {', '.join(sorted(unknown))}: there are {', '.join(PARTS)}")
    return tuple(part for part in PARTS if part in wanted)


def measure_alarms(setup: Setup, options: argparse.Namespace) -> list[Alarms]:
    jobs = [
        (stationary, (replace(setup, wandering=wandering), seed))
        for seed in range(options.seeds)
        for wandering in (False, True)
    ]
    return work("stationary streams", jobs, len(jobs) * setup.windows, options.processes)


def measure_curves(scenarios: Sequence[Scenario], options: argparse.Namespace) -> list[Curve]:
    processes = list(dict.fromkeys(scenario.process for scenario in scenarios))
    jobs = [(curve, (kind, process, options.outcomes, 1)) for process in processes for kind in kinds_for(process)]
    return work("run lengths of river's detectors", jobs, len(jobs), options.processes)


def measure_delays(
    setup: Setup, scenarios: Sequence[Scenario], strictness: dict[str, dict[str, float]], options: argparse.Namespace
) -> list[Delay]:
    """Rows are drawn only where a change is in the relations between features, and few features then."""
    related = [one for one in scenarios if one.change.relation is not None]
    others = [one for one in scenarios if one.change.relation is None]
    few = replace(setup, related=True, features=FEW_FEATURES, segments=FEW_SEGMENTS)
    jobs = [
        (delays, (few if own is related else setup, seed, own, strictness))
        for seed in range(options.seeds)
        for own in (related, others)
        if own
    ]
    steps = len(jobs) * HEALTHY_WINDOWS + options.seeds * len(scenarios)
    return [one for found in work("delays", jobs, steps, options.processes) for one in found]


def false_alarms(found: Sequence[Alarms], scenario: Scenario, budget: FalseAlarmSettings) -> float:
    """The product's own, in the budget's period, over i.i.d. streams: without a measurement the budget."""
    own = [one for one in found if not one.wandering]
    if not own:
        return budget.alerts
    counted = [PRODUCT, QUIET] if scenario.process == VALUES else [PRODUCT]
    alerts = sum(one.alerts[name] for one in own for name in counted)
    return likely(alerts) / sum(one.days[PRODUCT] for one in own) * budget.days


def run_lengths(setup: Setup, scenarios: Sequence[Scenario], rates: dict[str, float], days: float) -> dict[str, float]:
    """Windows between two false alarms of one stream, when all streams of its kind share `rates` in `days`."""
    windows = days * 86400 / setup.window_s
    return {one.name: windows * one.streams(setup) / rates[one.name] for one in scenarios}


def strictnesses(
    setup: Setup, scenarios: Sequence[Scenario], lengths: dict[str, float], curves: Sequence[Curve]
) -> dict[str, dict[str, float]]:
    """Scenario -> river's detector -> how strict it must be for the scenario's run length."""
    return {
        one.name: {
            own.kind: own.strictness_for(1 / (lengths[one.name] * one.per_window(setup)))
            for own in curves
            if own.process == one.process.name
        }
        for one in scenarios
    }


def main() -> None:
    options = arguments(sys.argv[1:])
    setup = Setup(
        features=options.features,
        segments=options.segments,
        events=options.events,
        days=options.days,
        window_s=options.window_s,
    )
    budget = setup.settings().false_alarms
    written: dict[str, Any] = {"options": {name: str(value) for name, value in vars(options).items()}}
    found: list[Alarms] = []
    checks = []
    if "stationary" in options.only:
        found = measure_alarms(setup, options)
        checks += alarm_checks(found, budget.alerts, budget.days)
        print(_told(setup, options.seeds), *alarm_lines(found, budget.days), "", sep="\n")
        written["alarms"] = [asdict(one) for one in found]
    scenarios = [scenario for scenario in SCENARIOS if scenario.name in options.only]
    if scenarios:
        short = replace(setup, window_s=options.delay_window_s)
        rates = {one.name: false_alarms(found, one, budget) for one in scenarios}
        lengths = run_lengths(short, scenarios, rates, budget.days)
        curves = measure_curves(scenarios, options)
        wanted = strictnesses(short, scenarios, lengths, curves)
        told = measure_delays(short, scenarios, wanted, options)
        checks += delay_checks(told)
        print(_told(short, options.seeds), *delay_lines(told, short, lengths), "", sep="\n")
        written |= {"delays": [asdict(one) for one in told], "curves": [asdict(one) for one in curves]}
        written |= {"strictness": wanted, "rates": rates}
    verdicts = list(map(verdict, checks))
    if "estimates" in options.only:
        verdicts += measure_estimates()
    print("\n".join(verdicts))
    if options.json:
        options.json.write_text(json.dumps(written, indent=1))


def measure_estimates() -> list[str]:
    """Its verdicts. Without a package registry there is nothing to hold them against, which is said."""
    try:
        told, held = estimates.run()
    except NoDataError as missing:
        return [f"MISS  estimates without labels: {missing}"]
    print(*told, sep="\n")
    return held


def _told(setup: Setup, seeds: int) -> str:
    streams = f"{setup.features} features x {setup.segments} segments, {seeds} streams of each kind"
    return f"{streams}, windows of {setup.window_s} s with {setup.rows:,.0f} events:"


if __name__ == "__main__":
    main()

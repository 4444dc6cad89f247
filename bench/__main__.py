"""make bench: every variant in a fresh process, in turn, on a Kafka of its own in a temporary directory."""

import argparse
import json
import logging
import os
import platform
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from bench.checks import verdict
from bench.figures import checks, table
from bench.kafka import Cluster
from bench.process import Failed
from bench.runs import Result, run
from bench.variants import VARIANTS, Variant
from deploy.kafka.jars import VERSION, KafkaUnavailable, missing
from deploy.kafka.server import KafkaServer

EVENTS, RUNS = 400_000, 3
QUICK_EVENTS, QUICK_RUNS = 60_000, 1
HEAP = "2g"
USUAL = tuple(variant for variant in VARIANTS if not variant.extra)


def arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS, help=f"events a run (default: {EVENTS:,})")
    parser.add_argument("--runs", type=int, default=RUNS, help=f"rounds of all variants (default: {RUNS})")
    parser.add_argument(
        "--quick", action="store_true", help=f"{QUICK_RUNS} round of {QUICK_EVENTS:,} events: start-up weighs in"
    )
    parser.add_argument("--only", type=variants, default=USUAL, metavar="NAME,...", help=_names())
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the figures of each run")
    options = parser.parse_args(words)
    if options.quick:
        options.events, options.runs = QUICK_EVENTS, QUICK_RUNS
    return options


def variants(names: str) -> tuple[Variant, ...]:
    """Those named, in their usual order. Raises ArgumentTypeError."""
    wanted = set(names.split(","))
    unknown = wanted - {variant.name for variant in VARIANTS}
    if unknown:
        raise argparse.ArgumentTypeError(f"no {', '.join(sorted(unknown))}: {_names()}")
    return tuple(variant for variant in VARIANTS if variant.name in wanted)


def _names() -> str:
    extra = ", ".join(variant.name for variant in VARIANTS if variant.extra)
    return "there are " + ", ".join(variant.name for variant in USUAL) + f", and only where they are named {extra}"


def rounds(chosen: Sequence[Variant], runs: int) -> Iterator[tuple[int, Variant]]:
    """A B C A B C: what disturbs the machine for a while disturbs all."""
    for number in range(runs):
        yield from ((number, variant) for variant in chosen if not (variant.once and number))


def machine() -> dict[str, str | int | None]:
    """An interpreter without profile-guided optimization is about a quarter slower: compare only with its like."""
    optimized = "--enable-optimizations" in str(sysconfig.get_config_var("CONFIG_ARGS"))
    return {
        "python": platform.python_version(),
        "interpreter": "optimized" if optimized else "without --enable-optimizations",
        "cpus": os.cpu_count(),
        "kafka": VERSION,
    }


def measure(options: argparse.Namespace, directory: Path) -> list[Result]:
    results = []
    with KafkaServer(directory / "kafka", heap=HEAP) as server:
        cluster = Cluster(server.address)
        for number, variant in rounds(options.only, options.runs):
            result = run(variant, options.events, cluster, directory / f"{variant.name}-{number}")
            results.append(result)
            cost = f"{result.cpu_s_per_million:.2f} CPU s per million {variant.unit}s"
            print(f"round {number + 1}, {variant.name}: {cost}, {result.per_second:,.0f} a second", file=sys.stderr)
    return results


def main() -> None:
    # A topic just made has no leader yet for a moment: aiokafka tells that as an error, and tries again.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    options = arguments(sys.argv[1:])
    reason = missing()
    if reason:
        raise SystemExit(reason)
    with tempfile.TemporaryDirectory(prefix="inferwatch-bench-") as directory:
        try:
            results = measure(options, Path(directory))
        except (Failed, KafkaUnavailable) as error:
            raise SystemExit(str(error)) from error
    print(", ".join(f"{name} {value}" for name, value in machine().items()))
    print(
        "Medians (smallest..largest). CPU is what to compare: others on the machine slow the clock, hardly the CPU.\n"
    )
    print("\n".join(table(results)), end="\n\n")
    print("\n".join(map(verdict, checks(results))))
    if options.json:
        options.json.write_text(json.dumps({"machine": machine(), "runs": [asdict(one) for one in results]}, indent=1))


if __name__ == "__main__":
    main()

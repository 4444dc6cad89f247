"""Where the worker's CPU goes: python -m bench.profile [--variant join] [--events 200000] [--lines 40]

The worker runs under cProfile in all its threads, timed by the CPU of each. The profiler itself makes functions that
are called often look dearer than they are: read the order, not the sums.
"""

import argparse
import cProfile
import pstats
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

from bench.__main__ import HEAP
from bench.kafka import Cluster
from bench.runs import run_worker
from bench.variants import PLAIN, VARIANTS
from deploy.kafka.server import KafkaServer
from streams.cli import run

MAIN, OTHERS = "main.prof", "threads.prof"


class ThreadProfile(cProfile.Profile):
    """Timed by the CPU of its thread."""

    def __init__(self) -> None:
        super().__init__(time.thread_time)

    def create_stats(self) -> None:
        """Calls that have not returned are left out: another thread than theirs would read its own clock for them."""
        self.snapshot_stats()


def profiled_worker(config: Path) -> None:
    """Runs a worker until SIGTERM, then writes what each thread did beside its configuration file."""
    others: list[ThreadProfile] = []

    def begin(_frame: FrameType, _event: str, _argument: Any) -> None:
        profile = ThreadProfile()
        others.append(profile)
        profile.enable()

    threading.setprofile(begin)
    own = ThreadProfile()
    own.enable()
    try:
        run(["worker", "--config", str(config)])
    finally:
        own.dump_stats(config.with_name(MAIN))
        together = pstats.Stats(others[0])
        for profile in others[1:]:
            together.add(profile)
        together.dump_stats(config.with_name(OTHERS))


def report(file: Path, rows: int, lines: int) -> None:
    """The dearest functions, by their own time."""
    stats: dict[tuple[str, int, str], tuple[int, int, float, float, Any]] = pstats.Stats(str(file)).stats  # type: ignore[attr-defined]
    whole = sum(own for _, _, own, _, _ in stats.values())
    print(f"\n{file.stem}: {whole / rows * 1e6:.2f} us a row\n  own us   with callees    calls a row")
    for (path, line, name), (_, calls, own, total, _) in sorted(stats.items(), key=lambda one: -one[1][2])[:lines]:
        place = f"{'/'.join(Path(path).parts[-3:])}:{line} {name}" if line else name
        print(f"{own / rows * 1e6:8.3f}   {total / rows * 1e6:12.3f}   {calls / rows:12.4f}   {place}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__)
    workers = [variant.name for variant in VARIANTS if variant.is_worker]
    parser.add_argument("--variant", default=PLAIN.name, choices=workers)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--lines", type=int, default=40)
    options = parser.parse_args()
    variant = next(one for one in VARIANTS if one.name == options.variant)
    with tempfile.TemporaryDirectory(prefix="inferwatch-profile-") as temporary:
        directory = Path(temporary) / "profile"
        with KafkaServer(Path(temporary) / "kafka", heap=HEAP) as server:
            directory.mkdir()
            command = [sys.executable, "-m", "bench.profile", "--worker"]
            rows = run_worker(variant, options.events, Cluster(server.address), "profile-", directory, command).rows
        for file in (MAIN, OTHERS):
            report(directory / file, rows, options.lines)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        profiled_worker(Path(sys.argv[2]))
    else:
        main()

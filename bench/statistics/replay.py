"""A million rows replayed, beside NannyML over the same file: python -m bench.statistics.replay.

Both read one Parquet file of ten features, in chunks of a day: NannyML its univariate drift and its performance, the
product all that it has. Each run is a process of its own; rounds take turns. NannyML is installed into an environment
outside the project, as any package is; `--environment` keeps it for the next time.
"""

import argparse
import os
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.checks import Check, Spread, spread, verdict

ROWS, ROUNDS = 1_000_000, 3
PART_ROWS = 100_000
DAYS = 30
START = 1_790_035_200_000  # the beginning of a day, in ms
DAY_MS = 86_400_000
WINDOWS = "windows: {pane_s: 3600, tumbling_s: [86400], hopping_s: []}\n"
# statsmodels is imported by this version and not asked for by it; pandas 3 is younger than it.
PACKAGES = ("nannyml==0.13.1", "statsmodels", "pandas<3")
THEIRS = Path(__file__).with_name("nannyml_run.py")
MB = 1e6
# Room for what an allocator does not give back, where nothing grows.
STEADY = 1.1


class Missing(Exception):
    """NannyML can't be installed, or a run failed: the text says what was said."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one process used. `peak_mb`: its largest resident size."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def columns(rows: int, first: int, every: int, random: np.random.Generator) -> dict[str, object]:
    """`rows` rows from row `first` of `every` on, which are spread over the days."""
    at = START + (np.arange(first, first + rows) * (DAYS * DAY_MS / every)).astype(np.int64)
    share = random.random(rows)
    made: dict[str, object] = {
        "prediction_id": [f"{row:032x}" for row in range(first, first + rows)],
        "timestamp": pa.array(at).cast(pa.timestamp("ms", "UTC")),
        "prediction": (share > 0.5).astype(np.int64),
        "probability": share,
        "label": (random.random(rows) < share).astype(np.int64),
        "latency_ms": random.lognormal(2, 0.5, rows),
    }
    made |= {f"x{place}": random.normal(size=rows) for place in range(8)}
    made["region"] = np.array(["north", "south", "east", "west"])[random.integers(0, 4, rows)]
    made["plan"] = np.array(["free", "pro", "team"])[random.integers(0, 3, rows)]
    return made


def write(path: Path, rows: int) -> None:
    random = np.random.default_rng(1)
    with ExitStack() as files:
        writer: pq.ParquetWriter | None = None
        for first in range(0, rows, PART_ROWS):
            table = pa.table(columns(min(PART_ROWS, rows - first), first, rows, random))
            writer = writer or files.enter_context(pq.ParquetWriter(path, table.schema))
            writer.write_table(table)


def measured(command: Sequence[str], directory: Path) -> Run:
    """Runs it to its end. Raises Missing when it fails."""
    # Without a network NannyML would wait to tell that it was used.
    environ = os.environ | {"NML_DISABLE_USAGE_LOGGING": "1"}
    log = directory / "run.log"
    begun = monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environ, cwd=directory)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Missing(f"{' '.join(command)}: {' '.join(log.read_text().splitlines()[-3:])}")
    return Run(monotonic() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / MB)


def ours(file: Path) -> list[str]:
    config = file.with_name("inferwatch.yaml")
    config.write_text(WINDOWS)
    command = Path(sys.executable).with_name("inferwatch")
    options = ["--model", "bench", "--task", "classification"]
    return [str(command), "--config", str(config), "replay", str(file), *options]


def installed(environment: Path) -> Path:
    """The Python that has NannyML. Raises Missing."""
    python = environment / "bin" / "python"
    if not python.exists():
        uv = Path(sysconfig.get_path("scripts")) / "uv"
        made = [str(uv), "venv", "--quiet"] if uv.exists() else [sys.executable, "-m", "venv"]
        fill = [str(uv), "pip", "install", "--quiet", "--python", str(python)]
        fill = fill if uv.exists() else [str(python), "-m", "pip", "install", "--quiet"]
        for command in ([*made, str(environment)], [*fill, *PACKAGES]):
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
            if ran.returncode:
                raise Missing(f"{' '.join(command)}: {' '.join(ran.stderr.splitlines()[-3:])}")
    return python


def told(name: str, runs: Sequence[Run]) -> str:
    wall, cpu, peak = (spread([getattr(run, figure) for run in runs]) for figure in ("wall_s", "cpu_s", "peak_mb"))
    return f"{name:<36} wall {wall.told()} s, CPU {cpu.told()} s, peak {peak.told(0)} MB"


def ratios(above: Sequence[Run], below: Sequence[Run], figure: str) -> Spread:
    """Round by round: a noisy neighbour slows both down."""
    return spread([getattr(one, figure) / getattr(other, figure) for one, other in zip(above, below, strict=True)])


def run(rows: int, rounds: int, environment: Path | None) -> tuple[list[str], list[Check]]:
    """Lines for people, and what is held against a target. `environment`: None leaves NannyML out."""
    with TemporaryDirectory(prefix="bench-replay-") as name:
        directory = Path(name)
        file, quarter = directory / "history.parquet", directory / "quarter.parquet"
        write(file, rows)
        write(quarter, rows // 4)
        commands = {f"replay of {rows:,} rows": ours(file), f"replay of {rows // 4:,} rows": ours(quarter)}
        if environment is not None:
            commands["NannyML, drift and performance"] = [str(installed(environment)), str(THEIRS), str(file)]
        runs: dict[str, list[Run]] = {name: [] for name in commands}
        for place in range(rounds):
            for what, command in commands.items():
                print(f"round {place + 1} of {rounds}: {what}", file=sys.stderr, flush=True)
                runs[what].append(measured(command, directory))
    whole, part, *others = runs.values()
    checks = [Check("memory, as of a quarter of the rows", ratios(whole, part, "peak_mb"), STEADY)]
    for theirs in others:
        checks += [
            Check("time, as of NannyML", ratios(whole, theirs, "wall_s"), 1.0),
            Check("CPU, as of NannyML", ratios(whole, theirs, "cpu_s"), 1.0),
        ]
    return [told(name, own) for name, own in runs.items()], checks


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.statistics.replay", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help="(default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="(default: %(default)s)")
    parser.add_argument("--environment", type=Path, help="where NannyML is, or is installed (default: a temporary one)")
    parser.add_argument("--alone", action="store_true", help="without NannyML, which takes 1.8 GB of disk")
    options = parser.parse_args(words)
    with TemporaryDirectory(prefix="bench-nannyml-") as temporary:
        kept = options.environment.absolute() if options.environment else Path(temporary) / "environment"
        try:
            lines, checks = run(options.rows, options.rounds, None if options.alone else kept)
        except Missing as missing:
            print(f"MISS  {missing}")
            return 1
    print(*lines, *map(verdict, checks), sep="\n")
    return 0 if all(check.passed for check in checks) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

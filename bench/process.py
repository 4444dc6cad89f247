"""A process that is measured from outside: what it has used so far, by /proc."""

import os
import select
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PATIENCE_S = 300.0
# Many rows are waited for longer: for as long as they take at this rate.
SLOWEST_ROWS_A_S = 3000
LOOK_S = 0.1
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Failed(RuntimeError):
    """A measured process ended, or did not come to its end in time; the text has the end of its log."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Since the start of the process: CPU seconds of all its threads and of the main one. Memory as it is, in MB.

    `cpu_s` has what its processes took that have ended, too.
    """

    at_s: float
    cpu_s: float
    main_s: float
    rss_mb: float
    peak_mb: float


class Process:
    """Runs `command` with its errors in `log`; ends with the block."""

    def __init__(self, command: Sequence[str], log: Path, patience_s: float = PATIENCE_S) -> None:
        self.log = log
        self.patience_s = patience_s
        # What is configured around us is not part of the measurement.
        environ = {name: value for name, value in os.environ.items() if not name.startswith("INFERWATCH_")}
        self._started = time.monotonic()
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=out, env=environ
            )

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._process.communicate()

    @property
    def pid(self) -> int:
        return self._process.pid

    def sample(self) -> Sample:
        memory = _memory(Path(f"/proc/{self.pid}/status"))
        return Sample(
            at_s=time.monotonic(),
            cpu_s=sum(_times_s(Path(f"/proc/{self.pid}/stat"))),
            main_s=sum(_times_s(Path(f"/proc/{self.pid}/task/{self.pid}/stat"))[:2]),
            rss_mb=memory["VmRSS"],
            peak_mb=memory["VmHWM"],
        )

    def check(self) -> None:
        """Raises Failed when the process can't be waited for any longer."""
        if self._process.poll() is not None:
            raise Failed(f"the process ended with code {self._process.returncode}:\n{self._tail()}")
        if time.monotonic() > self._started + self.patience_s:
            raise Failed(f"not done after {self.patience_s:.0f} s:\n{self._tail()}")

    def until_it_says(self, word: bytes) -> None:
        """Returns when the process has written `word`, whatever a terminal is told around it."""
        assert self._process.stdout is not None
        said = b""
        while word not in said:
            self.check()
            if select.select([self._process.stdout], [], [], 1.0)[0]:
                said += os.read(self._process.stdout.fileno(), 4096)

    def until_log_has(self, words: str, times: int) -> None:
        """Returns when the process has logged `words` so often."""
        while self.log.read_text(errors="replace").count(words) < times:
            self.check()
            time.sleep(LOOK_S)

    def _tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])


def _times_s(stat: Path) -> list[float]:
    """User and system time, and those of children that have ended. The name before the other fields may hold blanks."""
    fields = stat.read_text().rsplit(")", 1)[1].split()
    return [int(field) / _TICKS_PER_S for field in fields[11:15]]


def _memory(status: Path) -> dict[str, float]:
    lines = (line.split() for line in status.read_text().splitlines() if line.startswith(("VmRSS", "VmHWM")))
    return {words[0].rstrip(":"): int(words[1]) / 1024 for words in lines}

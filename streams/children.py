"""Processes of this command line that another one starts, and that end with it."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

PATIENCE_S = 8.0
LAST_LINES = 8


class ChildEnded(RuntimeError):
    """A process that should go on has ended; the message has its last words."""


@dataclass(slots=True)
class Child:
    """`lines`: its standard output where that was asked for."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    async def lines(self) -> AsyncIterator[bytes]:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            yield line

    def check(self) -> None:
        """Raises ChildEnded when it has ended."""
        if self.process.returncode is not None:
            words = self.log.read_text(errors="replace").strip().splitlines()[-LAST_LINES:]
            told = "".join(f"\n  {line}" for line in words)
            raise ChildEnded(f"The {self.name} process ended with {self.process.returncode}{told}")


@asynccontextmanager
async def child(
    name: str, arguments: Sequence[str], directory: Path, environ: Mapping[str, str], read: bool = False
) -> AsyncIterator[Child]:
    """`inferwatch ARGUMENTS` as a process until the end of the block, or of this process. Its log is in `directory`.

    `read`: its standard output is for `Child.lines`, else that goes into the log as well.
    """
    log = directory / f"{name}.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "streams.child", *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE if read else output,
            stderr=output,
            env={**os.environ, **environ},
            # A Ctrl-C at the terminal is for the starter, which then ends the others in order.
            start_new_session=True,
        )
    try:
        yield Child(name, process, log)
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), PATIENCE_S)
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

"""Processes that one of ours starts: they end with it, however it ends."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from streams.children import ChildEnded, child
from tests.streams.processes import alive, gone

STARTER = """
import asyncio, sys
from pathlib import Path
from streams.children import child

async def main():
    async with child("broker", ["broker", "--port", "0"], Path(sys.argv[1]), {}) as one:
        print(one.process.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_a_child_ends_with_its_block(tmp_path: Path) -> None:
    async with child("broker", ["broker", "--port", "0"], tmp_path, {}) as one:
        assert alive(one.process.pid)
        one.check()
    assert not alive(one.process.pid)


async def test_a_child_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    starter = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", STARTER, str(tmp_path)), stdout=asyncio.subprocess.PIPE
    )
    assert starter.stdout is not None
    pid = int(await starter.stdout.readline())
    starter.send_signal(signal.SIGKILL)
    await starter.wait()
    await gone(pid)


async def test_a_child_that_ends_by_itself_is_noticed_with_its_last_words(tmp_path: Path) -> None:
    async with child("worker", ["worker", "--nonsense"], tmp_path, {}) as one:
        await one.process.wait()
        with pytest.raises(ChildEnded, match=r"The worker process ended with 2\n  .*--nonsense"):
            one.check()


async def test_what_a_child_says_can_be_read(tmp_path: Path) -> None:
    async with child("version", ["--version"], tmp_path, {}, read=True) as one:
        assert [line async for line in one.lines()] == [b"inferwatch 0.1.0\n"]

"""The demo as people start it."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.streams.processes import descendants, gone

COMMAND = (sys.executable, "-c", "from streams.cli import main; main()", "demo", "--port", "0")


async def demo(*options: str, directory: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(*COMMAND, *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(directory)},
    )


async def line_with(process: asyncio.subprocess.Process, part: str) -> list[str]:
    """The lines until one that has `part`; five minutes are more than enough on the slowest machine."""
    assert process.stdout is not None
    lines: list[str] = []
    async with asyncio.timeout(300):
        async for line in process.stdout:
            lines.append(line.decode())
            if part in lines[-1]:
                return lines
    pytest.fail("".join(lines))


async def test_the_loop_closes_and_all_processes_end(tmp_path: Path) -> None:
    process = await demo(directory=tmp_path)
    lines = "".join(await line_with(process, "-- recovered --"))
    parts = ["metrics http", "-- healthy --", "-- drifting --", "alert fired: accuracy below 0.85", "-- retraining --"]
    parts += ["version 2 is served", "-- new version --", "alert over: accuracy below 0.85"]
    assert [part for part in parts if part not in lines] == []
    children = descendants(process.pid)
    assert len(children) >= 4
    process.send_signal(signal.SIGINT)
    rest, errors = await process.communicate()
    assert (process.returncode, errors.decode()) == (0, "")
    assert rest.decode().endswith("The loop has closed: drift, incident, retraining, new version, recovery.\n")
    await gone(*children)
    assert os.listdir(tmp_path) == []


async def test_a_demo_that_is_killed_leaves_no_process(tmp_path: Path) -> None:
    process = await demo(directory=tmp_path)
    await line_with(process, "metrics http")
    children = descendants(process.pid)
    assert len(children) == 3
    process.send_signal(signal.SIGKILL)
    await process.wait()
    await gone(*children)


async def test_too_short_a_time_is_told_by_the_exit_code(tmp_path: Path) -> None:
    process = await demo("--seconds", "3", "--json", directory=tmp_path)
    out, _ = await process.communicate()
    assert process.returncode == 1
    summary = json.loads(out)
    assert summary["recovered"] is False
    assert {"events", "windows", "alerts_fired", "alerts_resolved", "retraining_requests", "versions"} <= summary.keys()
    assert {"accuracy_before", "accuracy_during", "accuracy_after"} <= summary.keys()


async def test_a_port_that_is_taken_is_said_in_a_line(tmp_path: Path) -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    process = await demo("--port", str(port), directory=tmp_path)
    _, errors = await process.communicate()
    server.close()
    assert process.returncode == 1
    assert errors.decode() == f"inferwatch: port {port} is taken: choose another one with --port\n"

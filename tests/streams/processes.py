"""What tests ask of processes that are not theirs."""

import asyncio
import os
from pathlib import Path


def alive(pid: int) -> bool:
    """Whether it runs; one that ended and was not asked for yet does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


async def gone(*pids: int) -> None:
    """Waits for their end."""
    async with asyncio.timeout(60):
        while any(map(alive, pids)):  # noqa: ASYNC110 (another process's end is no event of ours)
            await asyncio.sleep(0.05)


def descendants(pid: int) -> list[int]:
    """The process's children and theirs, by what the system says now."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (ProcessLookupError, FileNotFoundError):
                continue
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]

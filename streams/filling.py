"""A store that lacks much of what was committed is filled by a process of its own, beside the worker.

It puts what lies below the commits, which counts for nothing, and may end at any time: whoever opens the store then
goes on where it stopped (`streams/rebuilding.py`). `python -m streams.filling` reads one line of JSON, its task, and
ends when its standard input does; it prints how far it is, in records.
"""

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from app.lifeline import hold
from app.settings import Settings
from app.sources.marks import Mark, mark_of
from streams.collector import tune_collector
from streams.joins import JoinStore
from streams.rebuilding import Already, NoLongerOurs, Progress, Rebuild

log = logging.getLogger(__name__)

# For fewer records it takes longer to start a process than to put them.
FAR = 200_000
ASKED_EVERY_S = 0.5
LOCKED_S = 2.0
# Fewer and larger tables, that are compacted less often: of the CPU a record takes that saves a sixth.
BUFFER_BYTES = 128 * 1024 * 1024


def is_far_behind(store: JoinStore, floors: Mapping[str, int]) -> bool:
    """Whether much lies between the store and the commits `floors` (topic -> offset), and nothing beyond them."""
    known = {topic: store.next_offset(topic) or 0 for topic in floors}
    return all(known[topic] <= floor for topic, floor in floors.items()) and (
        sum(floors.values()) - sum(known.values()) >= FAR
    )


async def fill(
    settings: Settings,
    path: Path,
    floors: Mapping[str, int],
    marks: Mapping[str, Mark],
    progress: Progress,
    ours: Callable[[], bool],
) -> None:
    """Fills the store at `path`, which nobody has open. Raises NoLongerOurs, and the process is gone then."""
    task = {
        "settings": settings.model_dump(mode="json"),
        "path": str(path),
        "partition": progress.partition,
        "floors": dict(floors),
        "marks": {topic: mark.metadata() for topic, mark in marks.items()},
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "streams.filling"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert process.stdin is not None
        process.stdin.write(orjson.dumps(task) + b"\n")
        await _follow(process, progress, ours)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        log.warning("The process that fills the store of partition %d has failed", progress.partition)


async def _follow(process: asyncio.subprocess.Process, progress: Progress, ours: Callable[[], bool]) -> None:
    assert process.stdout is not None
    while True:
        if not ours():
            raise NoLongerOurs
        try:
            line = await asyncio.wait_for(process.stdout.readline(), ASKED_EVERY_S)
        except TimeoutError:
            continue
        if not line:
            await process.wait()
            return
        if not progress.total:
            progress.total = int(line.split()[1])
            log.info("From here on %s", progress)
        progress.done = int(line.split()[0])


def main() -> None:
    task: dict[str, Any] = orjson.loads(sys.stdin.buffer.readline())
    # What it has written is whole at any time.
    hold(lambda: os._exit(1))
    settings = Settings.model_validate(task["settings"])
    marks = {topic: mark_of(metadata) for topic, metadata in task["marks"].items()}
    progress = Progress(task["partition"])

    def told() -> bool:
        print(progress.done, progress.total, flush=True)
        return True

    store = JoinStore(Path(task["path"]), settings.labels.horizon_s, LOCKED_S, BUFFER_BYTES)
    tune_collector()
    try:
        asyncio.run(Rebuild(settings, store, task["floors"], marks, Already(), progress, told).fill())
        told()
    finally:
        store.close()


if __name__ == "__main__":
    main()

"""One training in a process of its own, which ends with this one whatever happens to it."""

import asyncio
import os
import shutil
import signal
import sys
from pathlib import Path

from app.settings import TrainerSettings
from app.training.job import Job
from app.training.pipeline import Judged, judge, prepare
from app.training.split import Split

DEFAULT_TIMEOUT_S = 3600.0
LAST_WORDS = 500


class TrainingFailed(RuntimeError):
    """No model came of it; the message says why in one line."""


async def train(directory: Path, job: Job, split: Split, timeout_s: float) -> Judged:
    """Runs `job` in `directory`, which is made anew, and judges the result; the model is in its `artifact`.

    A failed training leaves `output.log` and `job.json` there. Raises TrainingFailed.
    """
    shutil.rmtree(directory, ignore_errors=True)
    await asyncio.to_thread(prepare, directory, job, split)
    try:
        await _run(directory, timeout_s)
        return await asyncio.to_thread(judge, directory, split)
    except (TrainingFailed, ValueError) as error:
        await asyncio.to_thread(_drop_data, directory)
        raise TrainingFailed(str(error)) from error


def _drop_data(directory: Path) -> None:
    for path in directory.glob("*.parquet"):
        path.unlink()


async def _run(directory: Path, timeout_s: float) -> None:
    log = directory / "output.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app.training", str(directory)),
            stdin=asyncio.subprocess.PIPE,
            stdout=output,
            stderr=output,
            env={"OMP_WAIT_POLICY": "PASSIVE", **os.environ},
            start_new_session=True,
        )
        try:
            code = await asyncio.wait_for(process.wait(), timeout_s)
        except TimeoutError as error:
            raise TrainingFailed(f"the training took longer than {timeout_s:g} s") from error
        finally:
            await _kill(process)
    if code:
        raise TrainingFailed(_last_line(log) or f"the training process ended with {code}")


async def _kill(process: asyncio.subprocess.Process) -> None:
    """Ends the process, where it has not ended, and everything it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    await process.wait()


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1][:LAST_WORDS] if lines else ""


def timeout_s(settings: TrainerSettings | None) -> float:
    return DEFAULT_TIMEOUT_S if settings is None else settings.timeout_s

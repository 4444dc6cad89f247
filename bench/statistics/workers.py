"""Jobs in processes of low priority, with one progress bar over the steps that they tell of."""

import os
from collections.abc import Callable, Sequence
from multiprocessing import Pool, Value
from multiprocessing.sharedctypes import Synchronized
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from threadpoolctl import threadpool_limits

Result = TypeVar("Result")
Job = tuple[Callable[..., Result], tuple[Any, ...]]

_steps: "Synchronized[int] | None" = None
# How often the bar moves, in seconds.
_GLANCE = 0.5


def tell(steps: int) -> None:
    """A job has come so much further."""
    if _steps is not None:
        with _steps.get_lock():
            _steps.value += steps


def work(title: str, jobs: Sequence[Job[Result]], steps: int, processes: int | None = None) -> list[Result]:
    """The jobs' results in their order. `steps`: what they will tell of in all."""
    shared: Synchronized[int] = Value("q", 0)
    with Pool(processes or os.cpu_count(), _begin, (shared,)) as pool, _bar() as bar:
        task = bar.add_task(title, total=steps)
        waiting = [pool.apply_async(function, arguments) for function, arguments in jobs]
        for one in waiting:
            while not one.ready():
                one.wait(_GLANCE)
                bar.update(task, completed=shared.value)
        bar.update(task, completed=steps)
        return [one.get() for one in waiting]


def _begin(shared: "Synchronized[int]") -> None:
    global _steps
    _steps = shared
    os.nice(10)
    # There are as many processes as CPUs: threads of theirs would only wait for each other.
    threadpool_limits(1)


def _bar() -> Progress:
    parts = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*parts, console=Console(stderr=True))

"""How far a long command is: a bar on a terminal, a plain line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

PLAIN_EVERY_S = 5.0


@contextmanager
def progress(doing: str, total: int, console: Console) -> Iterator[Callable[[int], None]]:
    """A function to call with how many more are done, of `total`. Lines printed on `console` stand above the bar."""
    if not console.is_terminal:
        yield _plain(doing, total, console)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(doing, total=total)
        yield lambda more: bar.advance(task, more)


def _plain(doing: str, total: int, console: Console) -> Callable[[int], None]:
    done = 0
    said = time.monotonic()

    def advance(more: int) -> None:
        nonlocal done, said
        done += more
        if time.monotonic() - said >= PLAIN_EVERY_S:
            said = time.monotonic()
            console.print(f"{doing}: {done:,} of {total:,}", highlight=False)

    return advance


def stderr() -> Console:
    """Where progress and mistakes go: the output stays clean for what was asked."""
    return Console(file=sys.stderr, highlight=False, soft_wrap=True)

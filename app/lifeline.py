"""A process that ends when the one that started it is gone, however that one ended.

The starter gives a pipe as standard input and keeps its end open; the end of file is the end of the starter.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable

PATIENCE_S = 10.0


def hold(when_lost: Callable[[], object]) -> None:
    """Calls `when_lost`, in a thread of its own, when standard input ends."""
    threading.Thread(target=_watch, args=(when_lost,), name="lifeline", daemon=True).start()


def _watch(when_lost: Callable[[], object]) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    when_lost()


def end_group() -> None:
    """Kills this process and what it started, which share its process group."""
    os.killpg(0, signal.SIGKILL)


def end_gently() -> None:
    """Asks this process to end, and after PATIENCE_S ends it with all of its group."""
    threading.Timer(PATIENCE_S, end_group).start()
    os.kill(os.getpid(), signal.SIGTERM)

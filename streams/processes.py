"""The ends of our own processes: told to stop, they stop cleanly."""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress


def run_until_told(main: Coroutine[object, object, None]) -> None:
    """Runs `main` to its end, or until SIGTERM or SIGINT cancels it. What it raises is raised."""

    async def cancellable() -> None:
        task = asyncio.ensure_future(main)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(cancellable())

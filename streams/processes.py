"""The ends of our own processes: told to stop, they stop cleanly."""

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TypeVar

Made = TypeVar("Made")


def run_until_told(main: Coroutine[object, object, None]) -> None:
    """Runs `main` to its end, or until SIGTERM or SIGINT cancels it. What it raises is raised."""

    async def cancellable() -> None:
        task = asyncio.ensure_future(main)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(cancellable())


async def in_background(make: Callable[[], Made]) -> Made:
    """What `make` returns or raises, from a thread that the end of the process does not wait for."""
    loop = asyncio.get_running_loop()
    made: asyncio.Future[Made] = loop.create_future()

    def run() -> None:
        try:
            tell, result = made.set_result, make()
        except BaseException as error:  # noqa: BLE001 (raised again where it is awaited)
            tell, result = made.set_exception, error  # type: ignore[assignment]
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(lambda: None if made.done() else tell(result))

    threading.Thread(target=run, daemon=True).start()
    return await made

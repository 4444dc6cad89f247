"""Time of partitions in which nothing comes: raised by their reader, and committed before anybody is told.

Others close panes up to there. A row that comes afterwards must be late by it, and be so again for whoever reads the
row after a crash; so the raised watermark goes into the commit first.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack

from app.sources.progress import Name
from streams.sources import Published, Source

Commit = Callable[[dict[Name, tuple[int, str]]], Awaitable[bool]]


async def raise_idle(
    idle: Mapping[Name, int | None], found: Mapping[Name, Published], sources: Mapping[Name, Source], commit: Commit
) -> dict[Name, int | None]:
    """Raises sources that are `idle` to the watermark (ms) beside each, if they are still as they were `found`.

    Gives those that may be told as idle, each with its watermark. Nothing is counted meanwhile: no row may be judged
    by what is not committed.
    """
    own = {name: sources[name] for name in idle}
    async with AsyncExitStack() as locks:
        for source in own.values():
            await locks.enter_async_context(source.sending)
        still = {name: source for name, source in own.items() if source.is_as(found[name])}
        raised = {name: at for name in still if (at := idle[name]) is not None and still[name].is_before(at)}
        if raised and not await commit({name: still[name].floor_if_raised(at) for name, at in raised.items()}):
            return {}
        for name, at in raised.items():
            still[name].raise_to(at)
        return {name: source.watermark for name, source in still.items()}

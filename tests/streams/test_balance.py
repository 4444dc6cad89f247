"""The side of the join that is ahead waits for the other one, and for nothing that may not come."""

import asyncio
from collections.abc import Mapping

import pytest

from app.drift.timeline import NOTHING
from app.settings import Settings
from app.sources.marks import Mark
from app.sources.progress import Name
from streams import balance
from streams.balance import Balance
from streams.sources import HISTORY_MS, Source

NOW = 1_795_176_000_000
MINUTE_MS = 60_000
LABELS, PREDICTIONS = ("labels", 0), ("predictions", 0)


def source(name: Name, events: int, kafka_ms: int) -> Source:
    mark = Mark(watermark=events, events=events, kafka_ms=kafka_ms)
    return Source(name, 1, 0, mark, Settings(), lambda *_: NOTHING)


def pair_of(ahead: Source, behind: Source) -> dict[Name, Source]:
    return {ahead.name: ahead, behind.name: behind}


class Waiting:
    """A balance of a minute over sources, of which all have records to read unless `lags` says otherwise."""

    def __init__(self, sources: Mapping[Name, Source], lags: Mapping[Name, int | None] | None = None) -> None:
        self.sources = sources
        self.lags = dict(lags or {})
        self.ours = True
        self.balance = Balance(MINUTE_MS, lambda name, _: self.lags.get(name, 1))

    def start(self, name: Name) -> "asyncio.Task[None]":
        return asyncio.create_task(self.balance.wait(self.sources[name], self.sources.get, lambda: self.ours))

    async def waits(self, name: Name) -> bool:
        """Whether it still waits when all that can be done was done."""
        task = self.start(name)
        for _ in range(5):
            await asyncio.sleep(0)
        waiting = not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return waiting


HISTORY = source(LABELS, NOW + 2 * MINUTE_MS, NOW + 2 * HISTORY_MS), source(PREDICTIONS, NOW, NOW + 2 * HISTORY_MS)
LIVE = source(LABELS, NOW, NOW + 2 * MINUTE_MS), source(PREDICTIONS, NOW, NOW)


@pytest.mark.parametrize("sides", [HISTORY, LIVE], ids=["history by its own time", "traffic by when it came"])
async def test_only_the_side_that_is_ahead_waits(sides: tuple[Source, Source]) -> None:
    waiting = Waiting(pair_of(*sides))
    assert await waiting.waits(LABELS)
    assert not await waiting.waits(PREDICTIONS)


async def test_a_little_ahead_is_fine() -> None:
    assert not await Waiting(pair_of(source(LABELS, NOW + MINUTE_MS, NOW + HISTORY_MS * 2), HISTORY[1])).waits(LABELS)


@pytest.mark.parametrize("lag", [0, None])
async def test_a_side_that_has_nothing_to_read_is_not_waited_for(lag: int | None) -> None:
    assert not await Waiting(pair_of(*HISTORY), {PREDICTIONS: lag}).waits(LABELS)
    assert not await Waiting({LABELS: HISTORY[0]}).waits(LABELS)


async def test_labels_of_long_ago_do_not_hold_up_what_happens_now() -> None:
    late = source(LABELS, NOW - 10 * HISTORY_MS, NOW)
    assert not await Waiting(pair_of(source(PREDICTIONS, NOW, NOW), late)).waits(PREDICTIONS)


async def test_it_goes_on_as_soon_as_the_other_side_has_come_near() -> None:
    behind = source(PREDICTIONS, NOW, NOW + 2 * HISTORY_MS)
    waiting = Waiting(pair_of(HISTORY[0], behind))
    task = waiting.start(LABELS)
    await asyncio.sleep(0)
    waiting.balance.moved()
    await asyncio.sleep(0)
    assert not task.done()
    behind.events = NOW + MINUTE_MS
    waiting.balance.moved()
    await task


async def test_both_sides_never_wait_at_once() -> None:
    other = source(("predictions", 1), NOW + 2 * MINUTE_MS, NOW + 2 * HISTORY_MS)
    behind = source(("labels", 1), NOW, NOW + 2 * HISTORY_MS)
    waiting = Waiting(pair_of(*HISTORY) | pair_of(other, behind))
    task = waiting.start(LABELS)
    await asyncio.sleep(0)
    assert not await waiting.waits(other.name)
    waiting.ours = False
    waiting.balance.moved()
    await task
    waiting.ours = True
    assert await waiting.waits(other.name)


@pytest.mark.parametrize("minutes", [1.5, 3])
async def test_of_both_sides_the_one_goes_on_that_is_less_far_ahead(minutes: float) -> None:
    #  labels 0 are two minutes ahead and wait; predictions 1 come, more or less far ahead
    other = source(("predictions", 1), NOW + round(minutes * MINUTE_MS), NOW + 2 * HISTORY_MS)
    behind = source(("labels", 1), NOW, NOW + 2 * HISTORY_MS)
    waiting = Waiting(pair_of(*HISTORY) | pair_of(other, behind))
    tasks = {name: waiting.start(name) for name in (LABELS, other.name)}
    await asyncio.wait(tasks.values(), return_when=asyncio.FIRST_COMPLETED)
    assert {name for name, task in tasks.items() if task.done()} == {other.name if minutes < 2 else LABELS}
    waiting.ours = False
    waiting.balance.moved()
    await asyncio.gather(*tasks.values())


async def test_one_that_does_not_come_at_all_is_waited_for_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balance, "STUCK_S", 0.01)
    monkeypatch.setattr(balance, "LOOK_S", 0.002)
    await Waiting(pair_of(*HISTORY)).start(LABELS)


async def test_it_ends_with_the_partition_though_nothing_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balance, "LOOK_S", 0.002)
    waiting = Waiting(pair_of(*HISTORY))
    task = waiting.start(LABELS)
    await asyncio.sleep(0)
    waiting.ours = False
    await task

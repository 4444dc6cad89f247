"""A source is idle, wakes, and dies at any moment: each of its rows counts once, in its pane or late.

Readers of one source partition (others are in step with it) put parts and ticks on a log; they die between any two of:
commit, tick, count, send. Close reads the log as it grows.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson
import pytest

from app.decoding.chunks import RawChunk
from app.decoding.decode import PredictionDecoder
from app.drift.timeline import NOTHING
from app.monitor import Monitor
from app.settings import Settings
from app.sources.marks import Mark, mark_of
from app.windowing.blocks import Block
from app.windowing.panes import PaneBoard
from streams.idling import raise_idle
from streams.records import Record, Records
from streams.sources import Source

SETTINGS = Settings.model_validate(
    {
        "windows": {"pane_s": 5, "tumbling_s": [10], "hopping_s": [], "cohort_s": 86_400, "allowed_lateness_s": 2},
        "worker": {"block_records": 8},
    }
)
DECODER = PredictionDecoder(SETTINGS)
NAME = ("predictions", 0)
MINUTE = 60_000
START = 1_795_176_000_000


class Died(Exception):
    pass


class Broker:
    """The partition's times by offset, what is committed, and the log of `panes`: all of it outlives a reader."""

    def __init__(self, rng: np.random.Generator, risk: float) -> None:
        self.rng, self.risk = rng, risk
        self.times: list[int] = []
        self.committed: tuple[int, str] = (0, "")
        self.panes: list[dict[str, Any]] = []
        self.deaths = 0

    def step(self) -> None:
        if self.rng.random() < self.risk:
            raise Died

    def send(self, message: dict[str, Any]) -> None:
        self.step()
        self.panes.append(orjson.loads(orjson.dumps(message, option=orjson.OPT_SERIALIZE_NUMPY)))
        self.step()

    async def commit(self, floors: dict[tuple[str, int], tuple[int, str]]) -> bool:
        self.step()
        self.committed = floors[NAME]
        self.step()
        return True


class Reader:
    """What a worker does with one source partition in one generation."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        first, metadata = broker.committed
        self.source = Source(NAME, 1, first, mark_of(metadata), SETTINGS, lambda model, version: NOTHING)

    async def read(self) -> None:
        """Reads to the end, in chunks of any size, and sends the parts of each block that it touches."""
        while (first := self.source.next) < len(self.broker.times):
            end = min(first + int(self.broker.rng.integers(1, 12)), len(self.broker.times))
            fetched = Records.of(Record(offset, 0, None, b"{}") for offset in range(first, end))
            for piece in self.source.pieces(fetched):
                for offset in [record.offset for record in piece]:
                    self._count(offset)
            self.broker.committed = self.source.floor()

    def _count(self, offset: int) -> None:
        source = self.source
        if source.unsent and source.leaves_block(offset):
            self._send()
        block, time = source.enter(offset), self.broker.times[offset]
        event = {"prediction_id": "a", "model": "credit", "version": "1", "timestamp": time, "prediction": "yes"}
        decoded = DECODER.decode(RawChunk(np.array([offset]), np.array([time]), [None], [orjson.dumps(event)]))
        (run,) = decoded.runs
        block.count_predictions(run.columns, source.earlier(decoded.times, decoded.offsets), None)
        source.advance(decoded.times, offset, time, 1)
        if source.leaves_block(source.next) or self.broker.rng.random() < 0.3:
            self._send()

    def _send(self) -> None:
        send_parts(self.broker, self.source.block, self.source.next - 1)
        self.source.publish()

    async def tick(self, raised: int | None) -> None:
        """`raised`: to where the idle partition goes on, None when it is not idle."""
        if self.source.unsent:
            self._send()
        idle = {} if raised is None else {NAME: raised}
        found = {NAME: self.source.published}
        told = await raise_idle(idle, found, {NAME: self.source}, self.broker.commit)
        watermark = told.get(NAME, self.source.published.mark.watermark)
        line = [*NAME, self.source.published.position, watermark, NAME in told]
        self.broker.send({"tick": {"sources": [line], "expected": {"predictions": 1}}})


def send_parts(broker: Broker, block: Block, last: int) -> None:
    for message in block.parts(last):
        broker.send(message.value)


async def lived(broker: Broker) -> None:
    """Events, then a pause in which the partition is idle, then events that are older than the pause; and so on."""
    now = START
    reader = Reader(broker)
    for _ in range(40):
        ages = broker.rng.choice([0, 1000, 30_000], size=int(broker.rng.integers(1, 6)), p=[0.5, 0.3, 0.2])
        broker.times += [now - int(age) for age in ages]
        now += int(broker.rng.integers(10, 60)) * 1000
        for raised in (None, now - 5000, now):
            while True:
                try:
                    await reader.read()
                    await reader.tick(raised)
                    break
                except Died:
                    broker.deaths += 1
                    reader = Reader(broker)
    risk, broker.risk = broker.risk, 0
    await reader.read()
    await reader.tick(now + MINUTE)
    broker.risk = risk


def closed(broker: Broker) -> Iterator[dict[str, Any]]:
    board, monitor = PaneBoard(SETTINGS.windows), Monitor("credit", SETTINGS, {})
    for offset, message in enumerate(broker.panes):
        board.add(message, offset)
        while ready := board.ready(3):
            yield from (sent.value for sent in monitor.close_panes(ready).messages if sent.topic == "windows")
            for pane in ready:
                board.forget(pane)
        if (watermark := board.watermark()) is not None:
            yield from (sent.value for sent in monitor.advance(watermark, offset).messages if sent.topic == "windows")
    yield from (sent.value for sent in monitor.advance(START + 2 * 86_400_000, 10**6).messages)


@pytest.mark.parametrize("risk", [0.0, 0.02, 0.1])
@pytest.mark.parametrize("seed", range(6))
async def test_no_row_of_a_source_that_was_idle_is_lost(seed: int, risk: float) -> None:
    broker = Broker(np.random.default_rng(seed), risk)
    await lived(broker)
    assert (broker.deaths > 0) == (risk > 0)
    windows = [window for window in closed(broker) if window.get("kind")]
    cohorts = {window["start"]: window["predictions"] for window in windows if window["kind"] == "cohort"}
    assert sum(cohorts.values()) == len(broker.times), "on time or late, each row counts once"
    on_time = sum(window["predictions"] for window in windows if window["kind"] == "tumbling")
    assert 0 < on_time < len(broker.times)


async def test_nothing_is_told_that_the_broker_refused() -> None:
    source = Source(NAME, 1, 0, Mark(), SETTINGS, lambda model, version: NOTHING)
    before = source.floor()

    async def refuse(floors: object) -> bool:
        return False

    assert await raise_idle({NAME: START}, {NAME: source.published}, {NAME: source}, refuse) == {}
    assert (source.watermark, source.floor()) == (None, before)


async def test_a_source_that_something_came_for_meanwhile_is_not_idle() -> None:
    source = Source(NAME, 1, 0, Mark(), SETTINGS, lambda model, version: NOTHING)
    found = {NAME: source.published}
    source.advance(np.array([START]), 0, START, 1)
    source.publish()
    assert await raise_idle({NAME: START + MINUTE}, found, {NAME: source}, Broker.commit) == {}  # type: ignore[arg-type]
    assert source.watermark == START

"""A log of parts and ticks, read by owners that die: every event counts once, and what is published never differs.

Two source partitions send running totals of blocks of 16 offsets; now and then their reader dies, and its successor
sends its last block again. Close dies between any two of: publish, each value of the state, forget, commit.
"""

from collections import Counter
from typing import Any

import numpy as np
import orjson
import pytest

from app.messages import Message
from app.monitor import Monitor
from app.settings import Settings
from app.timestamps import rfc3339
from app.windowing.panes import PaneBoard
from tests.app.closing import SECOND, group, part, predictions, tick

SETTINGS = Settings.model_validate(
    {"windows": {"pane_s": 5, "tumbling_s": [10], "hopping_s": [[30, 10]], "cohort_s": 60, "allowed_lateness_s": 2}}
)
PANE, TUMBLING, LATENESS = 5 * SECOND, 10 * SECOND, 2 * SECOND
BLOCK = 16
CHUNK = 5
Log = list[dict[str, Any]]


class Reader:
    """Ingest of one source partition with the event times `times`, one to an offset."""

    def __init__(self, partition: int, times: list[int]) -> None:
        self.partition = partition
        self.times = times
        self.next = 0
        self.watermark: int | None = None

    def chunk(self, rows: int) -> Log:
        """Reads on: the parts of each block that it touches, then a tick."""
        sent: Log = []
        end = min(self.next + rows, len(self.times))
        while self.next < end:
            stop = min(end, (self.next // BLOCK + 1) * BLOCK)
            sent.append(self._part(self.next // BLOCK, stop))
            self.next = stop
        return [*sent, self.tick(idle=self.next == len(self.times))]

    def again(self) -> None:
        """The reader dies: its successor begins with the block that was not complete."""
        self.next -= self.next % BLOCK
        self.watermark = max(self.times[: self.next], default=None)

    def late(self) -> set[int]:
        """Offsets whose pane was closed for this partition's own watermark."""
        return {n for n, time in enumerate(self.times) if _is_late(time, max(self.times[:n], default=None))}

    def _part(self, block: int, stop: int) -> dict[str, Any]:
        totals: Counter[tuple[int, int, bool]] = Counter()
        for offset in range(block * BLOCK, stop):
            before, time = max(self.times[:offset], default=None), self.times[offset]
            late = _is_late(time, before)
            counted = before if late and before is not None else time
            totals[counted - counted % PANE, time - time % (60 * SECOND), late] += 1
        self.watermark = max(self.times[:stop])
        groups = [
            group(predictions(rows), pane, cohort=cohort, late=late) for (pane, cohort, late), rows in totals.items()
        ]
        return part(*groups, source=("predictions", self.partition), block=block, offset=stop - 1)

    def tick(self, idle: bool) -> dict[str, Any]:
        return tick(("predictions", self.partition, self.next, self.watermark, idle), predictions=2)


def _is_late(time: int, watermark: int | None) -> bool:
    return watermark is not None and time - time % PANE + PANE + LATENESS <= watermark


def some_times(rng: np.random.Generator, rows: int) -> list[int]:
    """Event times that go on, not quite in order, with a pause now and then."""
    steps = rng.choice([0, 200, 700, 20_000], size=rows, p=[0.3, 0.4, 0.28, 0.02])
    return [
        max(int(time), 0) for time in np.cumsum(steps) - rng.choice([0, 1000, 9000], size=rows, p=[0.8, 0.15, 0.05])
    ]


def some_log(rng: np.random.Generator, readers: list[Reader]) -> Log:
    log: Log = [reader.tick(idle=False) for reader in readers]
    while any(reader.next < len(reader.times) for reader in readers):
        # The one that is behind in time reads on: a reader far ahead would make nobody late, but wait for long.
        reader = min((one for one in readers if one.next < len(one.times)), key=lambda one: one.times[one.next])
        if rng.random() < 0.1:
            reader.again()
        log += reader.chunk(int(rng.integers(1, 2 * CHUNK)))
    last = max(reader.watermark or 0 for reader in readers) + 60 * SECOND
    return [*log, *(tick(("predictions", r.partition, r.next, last, True), predictions=2) for r in readers)]


class Died(Exception):
    pass


class Close:
    """Reads the log from the committed offset on, as its last owner left the rest. May die at each step."""

    def __init__(self, log: Log, rng: np.random.Generator, risk: float) -> None:
        self.log, self.rng, self.risk = log, rng, risk
        self.published: list[Message] = []
        self.state: dict[str, bytes] = {}
        self.committed = 0
        self.deaths = 0

    def run(self) -> None:
        while True:
            try:
                self._own()
            except Died:
                self.deaths += 1
            else:
                return

    def _own(self) -> None:
        board, monitor = PaneBoard(SETTINGS.windows), Monitor("credit", SETTINGS, dict(self.state))
        if monitor.closed_through is not None:
            board.closed("credit", monitor.closed_through)
        for offset in range(self.committed, len(self.log)):
            board.add(orjson.loads(orjson.dumps(self.log[offset])), offset)
            watermark = board.watermark() if "tick" in self.log[offset] else None
            if watermark is None:
                continue
            while ready := board.ready(3):
                self._publish(monitor.close_panes(ready))
                for pane in ready:
                    board.forget(pane)
            self._publish(monitor.advance(watermark, offset))
            self._step()
            self.committed = board.floor(offset + 1)

    def _publish(self, outcome: Any) -> None:
        for message in outcome.messages:
            self.published.append(message)
            self._step()
        for slot, value in outcome.state.items():
            if value is None:
                self.state.pop(slot, None)
            else:
                self.state[slot] = value
            self._step()

    def _step(self) -> None:
        if self.rng.random() < self.risk:
            raise Died


@pytest.mark.parametrize("seed", range(8))
def test_every_event_counts_once(seed: int) -> None:
    rng = np.random.default_rng(seed)
    readers = [Reader(partition, some_times(rng, 150)) for partition in range(2)]
    close = Close(some_log(rng, readers), rng, risk=0.1)
    close.run()
    assert close.deaths > 3

    windows: dict[str, bytes] = {}
    for message in close.published:
        if message.topic == "windows" and message.value["kind"] != "cohort":
            told = orjson.dumps(message.value, option=orjson.OPT_SORT_KEYS)
            assert windows.setdefault(message.value["window_id"], told) == told, "a window told twice says the same"
    counted = Counter[str]()
    for told in map(orjson.loads, windows.values()):
        if told["kind"] == "tumbling":
            counted[told["start"]] += told["predictions"]
    assert {start: rows for start, rows in counted.items() if rows} == truth(readers)


def truth(readers: list[Reader]) -> dict[str, int]:
    """Rows on time by the start of their tumbling window."""
    starts = Counter[str]()
    for reader in readers:
        late = reader.late()
        starts.update(rfc3339(t - t % TUMBLING) for offset, t in enumerate(reader.times) if offset not in late)
    return dict(starts)


@pytest.mark.parametrize("seed", range(8, 12))
def test_cohorts_count_the_late_as_well(seed: int) -> None:
    rng = np.random.default_rng(seed)
    readers = [Reader(partition, some_times(rng, 150)) for partition in range(2)]
    close = Close(some_log(rng, readers), rng, risk=0.1)
    close.run()
    newest: dict[str, tuple[int, int]] = {}
    for message in close.published:
        if message.value.get("kind") == "cohort":
            told = message.value
            newest[told["start"]] = max(newest.get(told["start"], (0, 0)), (told["revision"], told["predictions"]))
    assert sum(rows for _, rows in newest.values()) == 300
    assert any(reader.late() for reader in readers)

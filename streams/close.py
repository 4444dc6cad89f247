"""Close: parts and ticks from `panes` -> windows, alerts, requests, and the state that the next owner begins with."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

import orjson

from app.alerts.stalled import Standstill, patience_ms
from app.drift.baseline import Baseline
from app.monitor import Monitor, Outcome
from app.settings import Settings
from app.sources.progress import LastTick, Name
from app.windowing.panes import PaneBoard
from streams.baselines import Baselines
from streams.following import POSITION, read_partition
from streams.outputs import Outputs
from streams.unpacking import Fetched

log = logging.getLogger(__name__)


# While a backlog is worked off: one write of the state for so many panes.
PANES_AT_ONCE = 60


class Shard:
    """One partition of `panes` in one generation: its open panes, and a monitor for each of its models."""

    def __init__(
        self,
        partition: int,
        generation: int,
        first: int,
        settings: Settings,
        baselines: Baselines,
        metadata: str = "",
    ) -> None:
        """`metadata`: of the commit from which reading begins."""
        self.partition = partition
        self.generation = generation
        self.next = first
        self.settings = settings
        self.baselines = baselines
        self.board = PaneBoard(settings.windows, metadata)
        self.standstill = Standstill(patience_ms(settings.windows))
        self.monitors: dict[str, Monitor] = {}
        self.versions: dict[str, str] = {}
        """Of each model that parts came of, the version of the first."""

    def load(self, state: dict[bytes, bytes]) -> None:
        slots: dict[str, dict[str, bytes]] = defaultdict(dict)
        for key, value in state.items():
            model, slot = orjson.loads(key)
            slots[model][slot] = value
        for model, values in slots.items():
            self._monitor(model, values)

    def monitor(self, model: str) -> Monitor:
        return self.monitors.get(model) or self._monitor(model, {})

    def _monitor(self, model: str, state: dict[str, bytes]) -> Monitor:
        monitor = self.monitors[model] = Monitor(model, self.settings, state)
        for baseline in self.baselines.of(model):
            monitor.baseline_arrived(baseline.to_record())
        if monitor.closed_through is not None:
            self.board.closed(model, monitor.closed_through)
        return monitor

    def baseline_arrived(self, baseline: Baseline) -> None:
        if baseline.model in self.monitors:
            self.monitors[baseline.model].baseline_arrived(baseline.to_record())

    def floor(self) -> tuple[int, str]:
        """Where a restart must begin, and what it must know there."""
        floor = self.board.floor(self.next)
        return floor, self.board.fences.metadata(floor)


class Close:
    """All partitions of `panes` that this worker owns."""

    def __init__(self, settings: Settings, outputs: Outputs, baselines: Baselines) -> None:
        self.settings = settings
        self.baselines = baselines
        baselines.listeners.append(self._baseline_arrived)
        self.outputs = outputs
        self.shards: dict[int, Shard] = {}

    def forget(self) -> None:
        self.shards.clear()

    def told(self) -> Mapping[Name, LastTick]:
        """What all source partitions were last heard to say, as the shard that has heard most of them knows it."""
        known = [shard.board.progress.told for shard in self.shards.values()]
        return max(known, key=len, default={})

    def _baseline_arrived(self, baseline: Baseline) -> None:
        for shard in self.shards.values():
            shard.baseline_arrived(baseline)

    async def shard(self, partition: int, generation: int, first: int, metadata: str) -> Shard:
        """The shard as its last owner stored it, if this is the first chunk of the generation."""
        known = self.shards.get(partition)
        if known is not None and known.generation == generation:
            return known
        fresh = Shard(partition, generation, first, self.settings, self.baselines, metadata)
        fresh.load(await read_partition(self.settings, "state", partition))
        self.shards[partition] = fresh
        return fresh

    async def chunk(self, shard: Shard, records: Iterable[Any]) -> None:
        """Applies records in offset order; each tick may close panes."""
        for record in records:
            if record.offset >= shard.next:
                await self._apply(shard, orjson.loads(record.value), record)
                shard.next = record.offset + 1

    async def _apply(self, shard: Shard, message: dict[str, Any], record: Fetched) -> None:
        shard.board.add(message, record.offset)
        if "tick" not in message:
            shard.monitor(message["model"])
            shard.versions.setdefault(message["model"], message["version"])
            return
        shard.standstill.tick(message["tick"]["sources"], shard.board.progress, record.timestamp)
        watermark = shard.board.watermark()
        if watermark is not None:
            await self._advance(shard, watermark, record.offset)
        stalled = shard.standstill.stalled(shard.board.progress)
        for model, monitor in shard.monitors.items():
            version = shard.versions.get(model, "")
            await self._publish(shard, model, monitor.stand(stalled, watermark, version, record.offset))

    async def _advance(self, shard: Shard, watermark: int, offset: int) -> None:
        while ready := shard.board.ready(PANES_AT_ONCE):
            for model, panes in groupby(sorted(ready, key=lambda pane: pane.model), key=lambda pane: pane.model):
                closed = list(panes)
                await self._publish(shard, model, shard.monitor(model).close_panes(closed))
                for pane in closed:
                    shard.board.forget(pane)
        for model, monitor in shard.monitors.items():
            await self._publish(shard, model, monitor.advance(watermark, offset))

    async def _publish(self, shard: Shard, model: str, outcome: Outcome) -> None:
        """Publish, then store, each acknowledged: a crash in between publishes the same again."""
        if outcome.messages:
            await self.outputs.send(outcome.messages)
        if outcome.state:
            state = [("state", orjson.dumps([model, slot]), value) for slot, value in outcome.state.items()]
            await self.outputs.send_raw(state, shard.partition, [(POSITION, str(outcome.position).encode())])

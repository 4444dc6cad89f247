"""A worker: agents that ingest the source topics and close panes, and the ticks between them."""

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from app.joining.told import SIDES
from app.settings import Settings
from app.sources.progress import Name
from streams.app import create_app, named
from streams.assignment import Assignment
from streams.balance import Balance
from streams.baselines import Baselines
from streams.chunks import Packed, check_complete
from streams.claims import Claims
from streams.close import Close
from streams.counters import Durations
from streams.idling import raise_idle
from streams.ingest import Ingest
from streams.joins import GENERATIONS_A_HORIZON
from streams.logs import only_ours
from streams.mistakes import is_known, told
from streams.observing import Observer
from streams.outputs import Outputs
from streams.records import Records
from streams.sources import Published, Source
from streams.ticks import Ticks
from streams.topics import topic_name
from streams.web import Pages

log = logging.getLogger(__name__)

INGESTED = ("predictions", "labels", "resources")
WATERMARKED = ("predictions", "labels")
NEEDED = (
    *INGESTED,
    "panes",
    "state",
    "examples",
    "baselines",
    "windows",
    "alerts",
    "retraining-requests",
    "dead-letters",
)


class Worker:
    """Everything of one worker process around its Faust app. `listener`: the socket for its pages."""

    def __init__(self, settings: Settings, partitions: dict[str, int], listener: socket.socket) -> None:
        self.settings = settings = named(settings)
        self.partitions = partitions
        self.outputs = Outputs(settings)
        self.baselines = Baselines(settings)
        self.close = Close(settings, self.outputs, self.baselines)
        self.ticks = Ticks(settings.windows, {name: partitions[name] for name in WATERMARKED}, self._at_end)
        self.app = create_app(settings, self._forget)
        self.assignment = Assignment(settings, self.app.floors)
        self.claims = Claims(self.assignment, self._keep)
        self.ingest = Ingest(settings, self.outputs, self.assignment, partitions, self._unread)
        self.balance = Balance(settings.labels.horizon_ms // GENERATIONS_A_HORIZON, self._lag)
        self.logical = {topic_name(settings, name): name for name in (*INGESTED, "panes")}
        self.ready = asyncio.Event()
        self.failure: BaseException | None = None
        self.app.web = Pages(self.app, listener, Observer(self).snapshot, settings.worker.series_budget)
        self._register()

    def _register(self) -> None:
        for name in INGESTED:
            self._agent(name, self._ingest_chunk)
        self._agent("panes", self._close_chunk)
        self.app.task(self._start)
        self.app.task(self._send_ticks)

    def _agent(self, name: str, handle: Callable[[str, Any, Packed], Awaitable[None]]) -> None:
        channel = self.app.topic(topic_name(self.settings, name))

        async def agent(stream: AsyncIterator[Any]) -> None:
            async for event in stream.events():  # type: ignore[attr-defined]
                await self._guarded(handle(name, event.message, event.value))

        self.app.agent(channel, name=f"{'close' if name == 'panes' else 'ingest'}_{name}", concurrency=1)(agent)

    async def _guarded(self, work: Awaitable[object]) -> None:
        """An exception that left an agent would be acknowledged: stop the worker instead, and commit nothing more."""
        try:
            await self.ready.wait()
            await work
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            if self.failure is None:
                self.failure = error
                log.critical("The worker stops: %s", told(error), exc_info=not is_known(error))
                only_ours()
            self.app.floors.clear()
            await self.app.crash(error)
            raise

    async def _start(self) -> None:
        await self.outputs.start()
        await self.baselines.start()
        self.ready.set()

    async def stop(self) -> None:
        await self.ingest.stores.stop()
        await self.baselines.stop()
        await self.outputs.stop()

    def _forget(self) -> None:
        self.ingest.forget()
        self.close.forget()
        self.ticks.forget()

    async def _ingest_chunk(self, name: str, message: Any, packed: Packed) -> None:
        place, records = (name, message.partition), packed.records()
        source = await self._source(place, message, records) if records else None
        if source is None:
            return
        if records[0].offset != source.next:
            check_complete(message.tp, records, source.next)
            records = records.since(source.next)
            if not records:
                return
        if name in SIDES:
            generation = message.generation_id
            await self.balance.wait(source, self.ingest.sources.get, lambda: self._is_still(generation))
            if self.ingest.sources.get(place) is not source:
                return
        for piece in source.pieces(records):
            await self.ingest.chunk(source, piece)
        self.balance.moved()
        if self.ingest.sources.get(place) is source:
            # Else it was revoked meanwhile, and this floor may lie above what its next owner counts.
            self.app.floors.safe[message.tp] = source.floor()

    async def _source(self, place: Name, message: Any, records: Records) -> Source | None:
        """The partition as it is read since it was assigned, at first from these records on; None when it is lost."""
        sources, generation = self.ingest.sources, message.generation_id
        if place not in sources or sources[place].generation != generation:
            # Of a lost partition chunk after chunk is left out: that is checked of one's own only.
            if not await self.claims.claim([place]):
                return None
            check_complete(message.tp, records, self.assignment.floor(place))
            # A tick may have begun it meanwhile.
            if place not in sources or sources[place].generation != generation:
                self.ingest.begin(place, generation, records[0].offset, self.baselines.get)
        return sources[place]

    async def _close_chunk(self, name: str, message: Any, packed: Packed) -> None:
        records = packed.records()
        if not records:
            return
        _, metadata = self.app.floors.committed.get(message.tp, (0, ""))
        shard = await self.close.shard(message.partition, message.generation_id, records[0].offset, metadata)
        if records[0].offset != shard.next:
            check_complete(message.tp, records, shard.next)
        started = time.perf_counter()
        await self.close.chunk(shard, records)
        self.ingest.counters.chunks.setdefault(name, Durations()).observe(time.perf_counter() - started)
        if self.close.shards.get(message.partition) is shard:
            self.app.floors.safe[message.tp] = shard.floor()

    def _at_end(self, name: Name, position: int) -> bool | None:
        lag = self._lag(name, position)
        return None if lag is None else not lag

    def _unread(self, name: Name, position: int) -> bool:
        return not self._at_end(name, position)

    def _lag(self, name: Name, position: int) -> int | None:
        """How many records there are from `position` on; None when nobody can say yet."""
        highwater = self.app.consumer.highwater(self.assignment.tp(name))
        return None if highwater is None else max(highwater - position, 0)

    async def _send_ticks(self) -> None:
        await self.ready.wait()
        while not self.app.should_stop:
            await self.app.sleep(self.settings.worker.tick_s)
            await self._guarded(self._tick())

    def _settled(self) -> bool:
        """Whether partitions are assigned, and what is known of their commits is of this generation."""
        return not self.app.rebalancing and self.app.consumer.flow_active

    async def _tick(self) -> None:
        """What was counted is sent before it is said how far that goes; what is raised is committed before."""
        sources = self.ingest.sources
        if self._settled():
            await asyncio.gather(*[self.ingest.flush(source) for source in list(sources.values())])
        if not self._settled():
            self.ticks.forget()
            return
        read = self._read_partitions()
        await self._begin_stores(read)
        idle = self.ticks.idle(read, self.close.told())
        if not await self.claims.claim(idle.keys() - sources.keys()):
            return
        for name in idle.keys() - sources.keys():
            generation, first = self.app.consumer_generation_id, read[name].position
            read[name] = self.ingest.begin(name, generation, first, self.baselines.get).published
        raised = await raise_idle(idle, read, sources, self._keep)
        tick = self.ticks.tick(read, sources.keys(), raised)
        if tick is not None:
            await self.outputs.send_to_all("panes", tick, self.partitions["panes"])

    async def _begin_stores(self, read: Mapping[Name, Published]) -> None:
        """All of them at once."""
        absent = self.ingest.stores.absent(partition for _, partition in read)
        if absent and await self.claims.claim(name for name in read if name[1] in absent):
            generation = self.app.consumer_generation_id
            for partition in absent:
                self.ingest.stores.begin(partition, lambda: self._is_still(generation), self._guarded)

    def _is_still(self, generation: int) -> bool:
        return self._settled() and self.app.consumer_generation_id == generation

    async def _keep(self, floors: dict[Name, tuple[int, str]]) -> bool:
        return bool(await self.app.consumer.keep({self.assignment.tp(name): floor for name, floor in floors.items()}))

    def _read_partitions(self) -> dict[Name, Published]:
        """Partitions of this worker that carry watermarks: what is published of each, at first what was committed."""
        found = {}
        for tp in self.app.consumer.assignment():
            name = self.logical.get(tp.topic, ""), tp.partition
            if name[0] in WATERMARKED:
                source, known = self.ingest.sources.get(name), self.assignment
                found[name] = source.published if source else Published(known.floor(name), known.mark(name))
        return found

"""Ingest: chunks of the source topics -> parts on `panes`, examples, dead letters.

For each chunk: count it into the running totals of its block, write the join's store, send (awaited), and only then let
the commit floor move. A crash anywhere repeats the block from its start.
"""

import time
from collections.abc import Callable, Mapping

from app.decoding.chunks import RawChunk
from app.joining.told import SIDES, other_side
from app.settings import Settings
from app.sources.progress import Name
from app.windowing.blocks import BaselineOf, Block
from streams.assignment import Assignment
from streams.counters import Counters, Durations
from streams.counting import Counted, Counting, dead_letter
from streams.joins import JoinStore
from streams.misrouted import Misrouted, staying
from streams.outputs import Outputs
from streams.rebuilding import EPOCH, Already
from streams.records import Records
from streams.rocks import Damaged
from streams.sources import Source
from streams.stores import Stores

# Parts are running totals, so that not every chunk needs them: at a low rate each tick sends them, at a high one this
# many records do.
ROWS_BEFORE_PARTS = 2000


class Ingest:
    """All source partitions that this worker owns.

    `partitions`: counts of the topics, by name. `unread`: whether a partition may have records from an offset on.
    """

    def __init__(
        self,
        settings: Settings,
        outputs: Outputs,
        assignment: Assignment,
        partitions: Mapping[str, int],
        unread: Callable[[Name, int], bool],
    ) -> None:
        self.settings = settings
        self.outputs = outputs
        self.assignment = assignment
        self.counters = Counters()
        self.misrouted = Misrouted(settings, outputs, self.counters, partitions["predictions"])
        self.counting = Counting(settings, self.counters)
        self.stores = Stores(settings, assignment, outputs, partitions)
        self.sources: dict[Name, Source] = {}
        self._unread = unread

    def begin(self, name: Name, generation: int, first: int, baseline_of: BaselineOf) -> Source:
        """A new generation begins at the committed floor, with no totals and the watermarks of the floor."""
        mark = self.assignment.claimed(name)
        source = self.sources[name] = Source(name, generation, first, mark, self.settings, baseline_of)
        return source

    def forget(self) -> None:
        """Partitions were revoked: whatever they held is replayed from the floor by their next owner."""
        self.sources.clear()
        self.stores.forget()

    async def chunk(self, source: Source, records: Records) -> None:
        """Counts one fetched chunk, and publishes what there is enough of."""
        async with source.sending:
            source.passed = await self.misrouted.pass_on(source.name, records)
            for raw in records.raw.blocks(self.settings.worker.block_records):
                # Revoked while the last block was sent: all of it is for the next owner.
                if not self._owns(source):
                    return
                await self._count_part(source, raw)

    async def flush(self, source: Source) -> None:
        """Publishes what was counted and not sent yet. To be called now and then: little traffic fills no part.

        A partition whose store is made anew has nothing to send, and must not keep the others waiting.
        """
        if source.name[1] in self.stores.unready:
            return
        async with source.sending:
            if source.unsent and self._owns(source):
                await self._send_parts(source)

    def _owns(self, source: Source) -> bool:
        return self.sources.get(source.name) is source

    async def _count_part(self, source: Source, raw: RawChunk) -> None:
        """`raw` lies within one block. A block is sent whole before the next one begins."""
        topic, partition = source.name
        if source.unsent and source.leaves_block(int(raw.offsets[0])):
            await self._send_parts(source)
        store = await self.stores.get(partition, lambda: self._owns(source)) if topic in SIDES else None
        if not self._owns(source):
            return
        started = time.perf_counter()
        block = source.enter(int(raw.offsets[0]))
        kept = staying(raw, source.passed)
        counted = await self._counted(source, block, kept, raw, store)
        if counted is None:
            return
        await self._send_rest(source, block, kept, counted)
        if source.unsent >= ROWS_BEFORE_PARTS or source.leaves_block(source.next):
            await self._send_parts(source)
        self.counters.chunks.setdefault(topic, Durations()).observe(time.perf_counter() - started)

    async def _counted(
        self, source: Source, block: Block, kept: RawChunk, raw: RawChunk, store: JoinStore | None
    ) -> Counted | None:
        """Counts, and writes the store, with nothing in between. None when the partition was lost meanwhile.

        The join reads all that it needs before anything is counted: a store found damaged then is replaced, and asked
        again. What could not be written is put into the new one.
        """
        if store is None:
            counted = self.counting.resources(block, kept)
            self._advance(source, raw, counted)
            return counted
        while True:
            try:
                counted = self.counting.joined(source, block, kept, store)
                break
            except Damaged:
                renewed = await self._renewed(source, store, raw)
                if renewed is None:
                    return None
                store = renewed
        self._advance(source, raw, counted)
        topic, entries, alone = source.name[0], store.pending(), self._is_alone(source)
        try:
            self.counters.given_up += store.write(topic, source.next, source.watermark, alone=alone)
        except Damaged:
            renewed = await self._renewed(source, store, raw)
            if renewed is None:
                return None
            renewed.layouts.adopt(store.layouts)
            renewed.put(entries)
            self.counters.given_up += renewed.write(topic, source.next, source.watermark, alone=alone)
        return counted

    def _is_alone(self, source: Source) -> bool:
        """Whether there is nothing to read on the other side of the join."""
        name = other_side(source.name)
        other = self.sources.get(name)
        return not self._unread(name, self.assignment.floor(name) if other is None else other.next)

    def _advance(self, source: Source, raw: RawChunk, counted: Counted) -> None:
        source.advance(counted.times, int(raw.offsets[-1]), int(raw.timestamps[-1]), len(raw))

    async def _renewed(self, source: Source, damaged: JoinStore, raw: RawChunk) -> JoinStore | None:
        """A whole store with all that was counted before `raw`, which is of `source`."""
        partition = source.name[1]
        reached = {topic: self.assignment.floor((topic, partition)) for topic in SIDES}
        sides = [own for topic in SIDES if (own := self.sources.get((topic, partition))) is not None]
        reached |= {own.name[0]: own.next for own in sides}
        reached[source.name[0]] = int(raw.offsets[0])
        untold = [(own.epoch, message.value) for own in sides for message in own.untold]
        counted = Already(reached, untold)
        await self.stores.renew(partition, damaged, lambda: self._owns(source), counted)
        return await self.stores.get(partition, lambda: self._owns(source))

    async def _send_parts(self, source: Source) -> None:
        await self.outputs.send(source.block.parts(source.next - 1))
        source.publish()
        # A reading of resources is never too late for its pane.
        if source.name[0] in SIDES and source.watermark is not None:
            source.block.forget(source.watermark)

    async def _send_rest(self, source: Source, block: Block, raw: RawChunk, counted: Counted) -> None:
        """Dead letters and examples, which the parts that follow speak of."""
        source.untold = [message for sample in counted.samples for message in sample.messages]
        for reject in counted.rejects:
            self.counters.dead_letters[reject.reason] += 1
        await self.outputs.send([dead_letter(source.name, raw, reject) for reject in counted.rejects])
        headers = [(EPOCH, str(source.epoch).encode())]
        for run, messages, labelled in counted.samples:
            sent = await self.outputs.send(messages, source.name[1], headers)
            for (partition, offset), message in zip(sent, messages, strict=True):
                rows = len(message.value["prediction_ids"]) if labelled else 0
                block.examples_sent(run.pairs.model, run.pairs.version, partition, offset, rows)
        source.untold = []

"""Ingest: chunks of the source topics -> parts on `panes`, examples, dead letters.

For each chunk: count it into the running totals of its block, write the join's store, send (awaited), and only then let
the commit floor move. A crash anywhere repeats the block from its start.
"""

import asyncio
import base64
import logging
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from aiokafka.structs import ConsumerRecord

from app.blocks import BaselineOf, Block
from app.chunks import RawChunk, Reject
from app.columns import Ints
from app.corrections import correction_runs
from app.decode import PredictionDecoder
from app.join import Join, Joined, Outcome
from app.joining import join_labels, join_predictions
from app.label_rows import LabelRows, decode_labels
from app.messages import Message
from app.pairs import PairRun, examples, pair_runs
from app.resource_rows import decode_resources
from app.runs import Decoded
from app.settings import Settings
from app.timestamps import rfc3339
from streams.counters import Counters, Durations
from streams.joins import JoinStore, open_store
from streams.misrouted import Misrouted, staying
from streams.outputs import Outputs
from streams.raw import raw_chunk
from streams.rebuilding import SIDES, NoLongerOurs, Progress, Rebuild, is_behind
from streams.sources import Source

log = logging.getLogger(__name__)

# Parts are running totals, so that not every chunk needs them: at a low rate each tick sends them, at a high one this
# many records do.
ROWS_BEFORE_PARTS = 2000
# A dead letter keeps this much of the record: it must fit into a message itself.
LARGEST_DEAD_LETTER = 512 * 1024


class Ingest:
    """All source partitions that this worker owns."""

    def __init__(
        self,
        settings: Settings,
        outputs: Outputs,
        baseline_of: BaselineOf,
        partitions: int,
        floor_of: Callable[[tuple[str, int]], int],
    ) -> None:
        """`floor_of`: up to which offset a source partition was committed when it was assigned."""
        self.settings = settings
        self.outputs = outputs
        self.baseline_of = baseline_of
        self.floor_of = floor_of
        self.counters = Counters()
        self.misrouted = Misrouted(settings, outputs, self.counters, partitions)
        self._decoder = PredictionDecoder(settings)
        self.sources: dict[tuple[str, int], Source] = {}
        self.stores: dict[int, JoinStore] = {}
        self._opening: dict[int, asyncio.Lock] = {}
        self.rebuilding: dict[int, Progress] = {}
        """By partition: the stores that are being made anew."""
        self._count: dict[str, Callable[[Source, Block, RawChunk], Counted]] = {
            "predictions": self._predictions,
            "labels": self._labels,
            "resources": self._resources,
        }

    def forget(self) -> None:
        """Partitions were revoked: whatever they held is replayed from the floor by their next owner."""
        self.sources.clear()
        for store in self.stores.values():
            store.close()
        self.stores.clear()

    async def chunk(self, source: Source, records: list[ConsumerRecord]) -> None:
        """Counts one fetched chunk, and publishes what there is enough of."""
        async with source.sending:
            chunk = raw_chunk(records)
            source.passed = await self.misrouted.pass_on(source.name, records, chunk)
            for raw in chunk.blocks(self.settings.worker.block_records):
                if self.sources.get(source.name) is not source:
                    return  # revoked while the last block was sent: all of it is for the next owner
                await self._count_part(source, raw)

    async def flush(self, source: Source) -> None:
        """Publishes what was counted and not sent yet. To be called now and then: little traffic fills no part.

        A partition whose store is made anew has nothing to send, and must not keep the others waiting.
        """
        if source.name[1] in self.rebuilding:
            return
        async with source.sending:
            if source.unsent and self.sources.get(source.name) is source:
                await self._send_parts(source)

    async def _count_part(self, source: Source, raw: RawChunk) -> None:
        """`raw` lies within one block. A block is sent whole before the next one begins."""
        if not await self._store(source):
            return
        if source.unsent and source.leaves_block(int(raw.offsets[0])):
            await self._send_parts(source)
        started = time.perf_counter()
        block = source.enter(int(raw.offsets[0]))
        kept = staying(raw, source.passed)
        counted = self._count[source.name[0]](source, block, kept)
        last = int(raw.offsets[-1])
        source.advance(counted.times, last, int(raw.timestamps[-1]), len(raw))
        if source.name[0] != "resources":
            self.stores[source.name[1]].write(source.name[0], last + 1, source.watermark)
        await self._send_rest(source, block, kept, counted)
        if source.unsent >= ROWS_BEFORE_PARTS or source.leaves_block(source.next):
            await self._send_parts(source)
        self.counters.chunks.setdefault(source.name[0], Durations()).observe(time.perf_counter() - started)

    async def _send_parts(self, source: Source) -> None:
        await self.outputs.send(source.block.parts(source.next - 1))
        source.publish()

    async def _store(self, source: Source) -> bool:
        """Opens the join's store of the partition, whole; says whether the partition is still ours then."""
        topic, partition = source.name
        if topic != "resources" and partition not in self.stores:
            # Both sides of the join want it, and only one may open it.
            async with self._opening.setdefault(partition, asyncio.Lock()):
                if partition not in self.stores and self.sources.get(source.name) is source:
                    await self._open(source)
        return self.sources.get(source.name) is source

    async def _open(self, source: Source) -> None:
        """In a thread, since a former owner may still hold it; and made anew where it lacks what was committed."""
        partition, settings = source.name[1], self.settings
        store = await asyncio.to_thread(open_store, join_path(settings, partition), settings.labels.horizon_s)
        floors = {topic: self.floor_of((topic, partition)) for topic in SIDES}
        try:
            if is_behind(store, floors):
                progress = self.rebuilding[partition] = Progress(partition)
                await Rebuild(settings, store, floors, progress, lambda: self.sources.get(source.name) is source).run()
            if self.sources.get(source.name) is not source:
                raise NoLongerOurs
        except NoLongerOurs:
            store.close()
        except BaseException:
            store.close()
            raise
        else:
            self.stores[partition] = store
        finally:
            self.rebuilding.pop(partition, None)

    async def _send_rest(self, source: Source, block: Block, raw: RawChunk, counted: "Counted") -> None:
        """Dead letters and examples, which the parts that follow speak of."""
        await self.outputs.send(self._dead_letters(source, raw, counted.rejects))
        for run, messages in counted.examples:
            for (partition, offset), message in zip(
                await self.outputs.send(messages, source.name[1]), messages, strict=True
            ):
                rows = len(message.value["prediction_ids"])
                block.examples_sent(run.pairs.model, run.pairs.version, partition, offset, rows)

    def _dead_letters(self, source: Source, raw: RawChunk, rejects: list[Reject]) -> list[Message]:
        for reject in rejects:
            self.counters.dead_letters[reject.reason] += 1
        return [dead_letter(source.name, raw, reject) for reject in rejects]

    def _predictions(self, source: Source, block: Block, raw: RawChunk) -> "Counted":
        decoded = self._decoder.decode(raw)
        watermarks = source.earlier(decoded.times, decoded.offsets)
        counted = np.ones(len(decoded.times), np.bool_)
        joined = self._join_predictions(source, decoded, watermarks, counted)
        for run in decoded.runs:
            version = run.columns.model, run.columns.version
            mask = counted[run.rows]
            mine = None if mask.all() else mask
            self.counters.late[version] += block.count_predictions(run.columns, watermarks[run.rows], mine)
            self.counters.predictions[version] += int(mask.sum())
            self.counters.errors[version] += int((run.columns.failed & mask).sum())
        return Counted(decoded.times, decoded.rejects, self._pairs(source, block, joined, decoded.offsets))

    def _join_predictions(
        self, source: Source, decoded: Decoded, watermarks: Ints, counted: np.ndarray[tuple[int], np.dtype[np.bool_]]
    ) -> Joined:
        """What these predictions complete, by the rows of the chunk; clears `counted` where one came before."""
        found = join_predictions(self._join(source), decoded, watermarks, self.settings)
        if found is None:
            return Joined(np.empty(0, np.uint8))
        rows, joined = found
        self._outcomes(source, joined)
        counted[rows[joined.outcomes == Outcome.DUPLICATE]] = False
        pairs, corrections = (
            [pair._replace(row=int(rows[pair.row])) for pair in own] for own in (joined.pairs, joined.corrections)
        )
        return Joined(joined.outcomes, pairs, corrections)

    def _labels(self, source: Source, block: Block, raw: RawChunk) -> "Counted":
        labels: LabelRows = decode_labels(raw, self.settings.windows.max_ahead_ms)
        watermarks = source.earlier(labels.times, labels.offsets)
        joined = join_labels(self._join(source), labels, watermarks)
        self._outcomes(source, joined)
        sent = self._pairs(source, block, joined, labels.offsets)
        return Counted(labels.times, labels.rejects, sent)

    def _resources(self, source: Source, block: Block, raw: RawChunk) -> "Counted":
        rows = decode_resources(raw, self.settings.windows.max_ahead_ms)
        watermarks = np.full(len(rows.times), np.iinfo(np.int64).min)
        for columns, places in rows.runs:
            block.count_resources(columns, watermarks[places])
        return Counted(rows.times, rows.rejects, [])

    def _pairs(
        self, source: Source, block: Block, joined: Joined, offsets: Ints
    ) -> list[tuple[PairRun, list[Message]]]:
        """Counts the pairs that this chunk completed and the labels that it corrected, and makes the examples."""
        made = []
        for run in pair_runs(joined.pairs, self._decoder.decode):
            version = run.pairs.model, run.pairs.version
            late = block.count_pairs(run)
            self.counters.late[version] += late
            self.counters.labels[version] += run.pairs.size
            made.append((run, list(examples(run, source.name[0], offsets[run.rows], self.settings))))
        for corrections in correction_runs(joined.corrections, self._decoder.decode):
            run = corrections.after
            self.counters.late[run.pairs.model, run.pairs.version] += block.count_corrections(corrections)
            made.append((run, list(examples(run, source.name[0], offsets[run.rows], self.settings))))
        return made

    def _join(self, source: Source) -> Join:
        return Join(self.stores[source.name[1]], round(self.settings.labels.horizon_s * 1000))

    def _outcomes(self, source: Source, joined: Joined) -> None:
        for outcome, rows in enumerate(np.bincount(joined.outcomes, minlength=len(Outcome)).tolist()):
            if rows:
                self.counters.outcomes[source.name[0], Outcome(outcome).name.lower()] += rows


class Counted:
    """What came of a chunk: the times of its good rows, its rejects, and the examples to send."""

    __slots__ = ("examples", "rejects", "times")

    def __init__(self, times: Ints, rejects: list[Reject], made: list[tuple[PairRun, list[Message]]]) -> None:
        self.times, self.rejects, self.examples = times, rejects, made


def join_path(settings: Settings, partition: int) -> Path:
    return Path(settings.data_dir) / "joins" / f"{settings.topic_prefix}predictions-{partition}"


def dead_letter(source: tuple[str, int], raw: RawChunk, reject: Reject) -> Message:
    """The record with its reason and place. Of a very large one only the beginning is kept, and `detail` says so."""
    value, kafka_ms = raw.values[reject.place] or b"", int(raw.timestamps[reject.place])
    cut = "" if len(value) <= LARGEST_DEAD_LETTER else f" (the first {LARGEST_DEAD_LETTER} of {len(value)} bytes)"
    letter = {
        "reason": reject.reason,
        "detail": reject.detail[:1000] + cut,
        "topic": source[0],
        "partition": source[1],
        "offset": int(raw.offsets[reject.place]),
        "timestamp": rfc3339(kafka_ms) if kafka_ms >= 0 else None,
        "value_base64": base64.b64encode(value[:LARGEST_DEAD_LETTER]).decode(),
    }
    return Message("dead-letters", source[0], letter)

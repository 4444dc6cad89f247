"""Faust fed whole fetched chunks, with commits that the agents decide.

Faust delivers one record at a time, which costs more than all our work on it. Its `ConsumerScheduler` setting may yield
anything that looks like a record: here one `Chunk` for each partition and fetch. Commits then can't follow acks (Faust
acks what it skipped, and counts a chunk as one record), so they follow `Floors`, which the agents set after their
awaited sends. What is overridden below is private to faust-streaming 0.15.3: `tests/streams/test_upgrades.py` fails
when an upgrade changes it.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from typing import Any

from aiokafka.errors import CommitFailedError, IllegalStateError
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers.aiokafka import Consumer as FaustConsumer
from faust.transport.drivers.aiokafka import Transport as FaustTransport
from faust.transport.drivers.aiokafka import ensure_aiokafka_TP
from faust.transport.utils import DefaultSchedulingStrategy
from faust.types import TP
from faust.types.tuples import ack_lock

from streams.fetching import FetchThread
from streams.records import Records
from streams.unpacking import Extent, Taken


class LostRecords(RuntimeError):
    """Records were fetched but never reached the agent. Only a restart from the last commit makes that good."""


class Packed:
    """What was fetched of one partition, until its agent asks for the records."""

    __slots__ = ("_before", "_taken")

    def __init__(self, taken: Taken, before: Extent | None) -> None:
        """`before`: of what was fetched before it."""
        self._taken, self._before = taken, before

    def records(self) -> Records:
        """All of them. To be called once."""
        previous = None if self._before is None else self._before.last
        records = Records.of(self._taken, previous)
        self._taken.extent.last = records[-1].offset if records else -1 if previous is None else previous
        return records


class Chunk:
    """Looks like one Kafka record: its offset is that of the last one, its value is all of them."""

    __slots__ = ("offset", "partition", "topic", "value")
    timestamp_type = 0
    headers = ()
    timestamp = key = checksum = None
    serialized_key_size = serialized_value_size = 0

    def __init__(self, tp: TP, taken: Taken, before: Extent | None) -> None:
        self.topic, self.partition = tp.topic, tp.partition
        self.offset = taken.extent.last
        self.value = Packed(taken, before)


class ChunkScheduler(DefaultSchedulingStrategy):
    """Yields each partition's fetched records as one chunk."""

    def __init__(self) -> None:
        self.fetched: dict[TP, Extent] = {}

    def iterate(self, records: Mapping[TP, Taken]) -> Iterator[tuple[TP, Chunk]]:
        for tp, taken in records.items():
            if taken:
                before = self.fetched.get(tp)
                self.fetched[tp] = taken.extent
                yield tp, Chunk(tp, taken, before)


def check_complete(tp: TP, records: Records, expected: int) -> None:
    """A step forward is fine where the log has a gap, and fatal where fetched records never arrived here."""
    first = records[0].offset
    if first > expected and records.previous is not None and records.previous >= expected:
        raise LostRecords(f"offsets {expected} to {first - 1} of {tp.topic}-{tp.partition} were fetched and lost")


class Floors:
    """Up to where each partition may be committed, with the metadata that a restart from there needs."""

    def __init__(self) -> None:
        self.safe: dict[TP, tuple[int, str]] = {}
        self.committed: dict[TP, tuple[int, str]] = {}
        """Where reading began in this generation, and the metadata there."""
        self.acknowledged: dict[TP, int] = {}
        """What was committed since then."""
        self.committing = asyncio.Lock()
        """One commit at a time: an older one that is tried again must not come after a newer one."""

    def clear(self) -> None:
        """Partitions were revoked: what was safe is for their next owner to find out."""
        self.safe.clear()
        self.acknowledged.clear()


class _Polled:
    """The partitions that one poll may take from: those it began with, while they are active in its generation.

    A poll under way outlives its generation, and an empty set means all partitions to aiokafka; so this is never empty.
    """

    def __init__(self, consumer: "ChunkConsumer", partitions: Iterable[TP]) -> None:
        self.consumer, self.partitions = consumer, set(partitions)
        self.generation = consumer.app.consumer_generation_id

    def __contains__(self, tp: TP) -> bool:
        consumer = self.consumer
        return bool(
            consumer.flow_active
            and tp in self.partitions
            and tp in consumer._active_partitions
            and consumer.app.consumer_generation_id == self.generation
        )

    def __len__(self) -> int:
        return 1


class ChunkConsumer(FaustConsumer):
    """Faust's consumer, which loses no record around a rebalance and commits `app.floors`."""

    _is_assigned_anew = False

    def _new_consumer_thread(self) -> FetchThread:
        return FetchThread(self, loop=self.loop, beacon=self.beacon)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Gaps are for commits by acks."""

    def resume_partitions(self, tps: Iterable[TP]) -> None:
        """Every caller seeks and then resumes the flow: it must not run in between."""
        self.stop_flow()
        super().resume_partitions(tps)
        self._is_assigned_anew = True

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109
        return await super()._getmany(_Polled(self, active_partitions or ()), timeout)

    def perform_seek(self) -> Coroutine[Any, Any, None]:
        """To what was committed, and to the beginning where nothing, or offset 0, was: aiokafka would stay.

        A poll that ends while partitions are revoked seeks as well. What others have committed by then is not what this
        owner began with, and it may still be at work; so only the call right after `resume_partitions` takes that over.
        """
        is_assigned_anew, self._is_assigned_anew = self._is_assigned_anew, False
        return self._seek(is_assigned_anew)

    async def _seek(self, is_assigned_anew: bool) -> None:
        await super().perform_seek()
        partitions = [ensure_aiokafka_TP(tp) for tp in self.assignment()]
        if not partitions:
            return
        consumer = self._thread._ensure_consumer()
        found = await self._thread.call_thread(consumer._coordinator.fetch_committed_offsets, partitions)
        first = await self._thread.call_thread(consumer.beginning_offsets, partitions)
        nothing = OffsetAndMetadata(-1, "")
        if is_assigned_anew:
            self.app.floors.committed = {
                # Retention may have taken what was not read.
                TP(*tp): (max(found.get(tp, nothing).offset, first[tp]), found.get(tp, nothing).metadata)
                for tp in partitions
            }
        fresh = [tp for tp in partitions if not self._committed_offset.get(TP(*tp))]
        if fresh:
            await self._thread.seek_to_beginning(*fresh)

    def highwater(self, tp: TP) -> int | None:
        """One past the newest record, as the last fetch said it; None before that, and where it is not assigned."""
        subscription = self._thread._ensure_consumer()._subscription.subscription
        assignment = None if subscription is None else subscription.assignment
        state = None if assignment is None else assignment.state_value(ensure_aiokafka_TP(tp))
        return None if state is None else state.highwater

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust looks for commits and events that it did itself, and would call a worker slow that only has much to do.

        Who stands still is told by `streams/readiness.py`.
        """

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        for tp in list(self.app.floors.safe):
            if topics is None or tp in topics or tp.topic in topics:
                yield tp

    def _new_offset(self, tp: TP) -> int | None:
        with ack_lock:
            self._acked.pop(tp, None)
            self._acked_index.pop(tp, None)
        safe = self.app.floors.safe.get(tp)
        return None if safe is None else safe[0]

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Offset and metadata in one write, which the broker refuses from an old generation."""
        async with self.app.floors.committing:
            safe = self.app.floors.safe
            return await self._write(
                {tp: safe[tp] for tp, offset in offsets.items() if safe.get(tp, (None,))[0] == offset}
            )

    async def keep(self, floors: Mapping[TP, tuple[int, str]]) -> bool:
        """Commits these now; Faust would not where only the metadata is new. False when the broker refused."""
        async with self.app.floors.committing:
            generation = self.app.consumer_generation_id
            if self.app.rebalancing or not await self._write(floors):
                return False
            if self.app.rebalancing or self.app.consumer_generation_id != generation:
                return False
            self.app.floors.safe.update(floors)
            return True

    async def _write(self, floors: Mapping[TP, tuple[int, str]]) -> bool:
        commits = {ensure_aiokafka_TP(tp): OffsetAndMetadata(*floor) for tp, floor in floors.items()}
        done = bool(await self._thread.call_thread(self._commit_in_thread, commits))
        if done:
            self.app.floors.acknowledged.update({tp: offset for tp, (offset, _) in floors.items()})
        return done

    async def _commit_in_thread(self, commits: Mapping[Any, OffsetAndMetadata]) -> bool:
        try:
            await self._thread._ensure_consumer().commit(commits)
        except (CommitFailedError, IllegalStateError) as error:
            self.log.warning(
                "Commit refused after a rebalance; the next owner reads again from the last one: %r", error
            )
            return False
        return True


class ChunkTransport(FaustTransport):
    Consumer = ChunkConsumer

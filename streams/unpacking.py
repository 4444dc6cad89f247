"""What aiokafka fetched, handed on as it was decoded, without a Python object more for each record.

aiokafka makes a ConsumerRecord of each record, in Python and one by one; that takes longer than to decode its JSON.
The records beneath, which its C extension made, have the same key, value, offset and timestamp. What is used here is
private to aiokafka 0.14.0: `tests/streams/test_upgrades.py` fails when an upgrade changes it.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Any, NamedTuple, Protocol

from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException


class Fetched(Protocol):
    """A record as it came from the broker. `timestamp` in ms, -1 where there is none."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


def hand_on(consumer: Any) -> None:
    """From now on `consumer` (an AIOKafkaConsumer that was started) gives `Fetched` records."""
    fetcher = consumer._fetcher
    if not isinstance(fetcher._records, Results):
        fetcher._records = Results(fetcher._records)


class Results(OrderedDict[TopicPartition, Any]):
    """The fetcher's results by partition, each of which is emptied by `take`."""

    def __setitem__(self, tp: TopicPartition, result: Any) -> None:
        # Transactions that were aborted are told apart by aiokafka itself.
        if type(result) is FetchResult and result._partition_records._isolation_level != READ_COMMITTED:
            records = result._partition_records
            records._records_iterator = unpack(records)
            result.getall = partial(take, result)
        super().__setitem__(tp, result)


class Extent:
    """Up to which offset there are records: of what is not unpacked at the most, since a batch may end in a gap."""

    __slots__ = ("last",)

    def __init__(self, last: int) -> None:
        self.last = last


class Part(NamedTuple):
    """Records of one batch. `most`: how many there may be. `end`: the offset after the batch."""

    records: Iterable[Fetched]
    most: int
    end: int


class Taken:
    """What one poll took of a partition: whole batches, which are unpacked where they are read, and only once.

    That is another thread, and so another processor: what this one had unpacked would have to come over to it.
    """

    __slots__ = ("_parts", "_size", "extent")

    def __init__(self, parts: Sequence[Part], most: int | None = None) -> None:
        """`most`: what `len` may say, for aiokafka counts by it how many more it may take."""
        self._parts = parts
        count = sum(part.most for part in parts)
        self._size = count if most is None else min(count, most)
        self.extent = Extent(parts[-1].end - 1 if parts else -1)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Fetched]:
        # Chained in C: a generator would be resumed for each record.
        return chain.from_iterable(part.records for part in self._parts)


def take(result: FetchResult, max_records: int | None = None) -> Taken:
    """As `FetchResult.getall`: the next records, none if the partition is not to be read at present.

    They may be more than `max_records`, by a part of a batch.
    """
    if not result.check_assignment(result._topic_partition) or not result.has_more():
        return Taken([])
    records = result._partition_records
    parts: list[Part] = []
    count = 0
    for part in records._records_iterator:
        parts.append(part)
        count += part.most
        if max_records is not None and count >= max_records:
            break
    if parts:  # not sooner: an error on the way moves nothing
        records.next_fetch_offset = parts[-1].end
    result._update_position()
    if not parts or not records._records.has_next():
        result._partition_records = None
    return Taken(parts, max_records)


def unpack(records: PartitionRecords) -> Iterator[Part]:
    """Batch after batch what `PartitionRecords._unpack_records` gives of uncommitted reading, which knows no aborted
    transactions."""
    batches = records._records
    while batches.has_next():
        batch = batches.next_batch()
        if records._check_crcs and not batch.validate_crc():
            raise CorruptRecordException(f"Invalid CRC - {records._tp}")
        first, end = records.next_fetch_offset, batch.next_offset
        if batch.is_control_batch:
            yield Part((), 0, end)
        elif batch.base_offset >= first:
            yield Part(batch, end - batch.base_offset, end)
        else:
            # The broker sends whole batches, of which the first may begin before what was asked for.
            own = [one for one in batch if one.offset >= first]
            yield Part(own, len(own), end)

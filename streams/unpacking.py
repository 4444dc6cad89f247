"""What aiokafka fetched, handed on as it was decoded, without a Python object more for each record.

aiokafka makes a ConsumerRecord of each record, in Python and one by one; that takes longer than to decode its JSON.
The records beneath, which its C extension made, have the same key, value, offset and timestamp. What is used here is
private to aiokafka 0.14.0: `tests/streams/test_upgrades.py` fails when an upgrade changes it.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from typing import Any, Protocol

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
            # Chained in C: a generator would be resumed for each record.
            records._records_iterator = chain.from_iterable(unpack(records))
            result.getall = partial(take, result)
        super().__setitem__(tp, result)


def take(result: FetchResult, max_records: int | None = None) -> list[Fetched]:
    """As `FetchResult.getall`: the next records, none if the partition is not to be read at present."""
    if not result.check_assignment(result._topic_partition) or not result.has_more():
        return []
    records = result._partition_records
    taken: list[Fetched] = list(islice(records._records_iterator, max_records))
    if max_records is None or len(taken) < max_records:
        result._update_position()
        result._partition_records = None
    else:
        records.next_fetch_offset = taken[-1].offset + 1
        result._update_position()
    return taken


def unpack(records: PartitionRecords) -> Iterator[Iterable[Fetched]]:
    """Batch after batch what `PartitionRecords._unpack_records` gives of uncommitted reading, which knows no aborted
    transactions.

    `next_fetch_offset` is right once all of a batch was taken: after a part of it `take` sets it.
    """
    batches = records._records
    while batches.has_next():
        batch = batches.next_batch()
        if records._check_crcs and not batch.validate_crc():
            raise CorruptRecordException(f"Invalid CRC - {records._tp}")
        if not batch.is_control_batch:
            first = records.next_fetch_offset
            # The broker sends whole batches, of which the first may begin before what was asked for.
            yield batch if batch.base_offset >= first else [one for one in batch if one.offset >= first]
        records.next_fetch_offset = batch.next_offset

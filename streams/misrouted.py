"""Records of `predictions` and `labels` in another partition than their key's, where they do not meet each other.

They are counted, told in the log, and where the settings say so sent on: produced again as they are, with a header that
names where they came from, and not counted where they were found. That is acknowledged before the commit moves past
them. A crash in between sends some a second time; the join of their own partition knows them by their ids and counts
the first, so only what is joined is sent on. All else counts where it lies: a model without a join needs no partition.
"""

import logging
import time
from collections.abc import Callable

import numpy as np

from app.decoding.chunks import RawChunk
from app.decoding.decode import decode_predictions
from app.decoding.label_rows import decode_labels
from app.settings import Settings
from app.sources.partitioning import elsewhere
from app.sources.passed import Passed
from streams.counters import Counters
from streams.outputs import Copy, Outputs
from streams.records import Record, Records

log = logging.getLogger(__name__)

HEADER = "inferwatch-forwarded"
TOPICS = ("predictions", "labels")
TOLD_EVERY_S = 3600.0
REMEDY = (
    "A label meets its prediction only in the same partition, so every producer must hash keys as Kafka's own client "
    "does (murmur2). Set partitioner=murmur2_random for librdkafka clients (confluent-kafka for Python, Go, .NET, C++)"
)


class Misrouted:
    """What a worker does about such records. `partitions`: of each topic; `now`: monotonic seconds."""

    def __init__(
        self,
        settings: Settings,
        outputs: Outputs,
        counters: Counters,
        partitions: int,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings, self.outputs, self.counters = settings, outputs, counters
        self.partitions = partitions
        self._now = now
        self._told: dict[str, tuple[float, int]] = {}
        """By topic: when the log said it, and how many there had been."""

    async def pass_on(self, source: tuple[str, int], records: Records) -> Passed:
        """Counts those of a fetched chunk and sends them on; what of it is not to be counted here.

        Every send is acknowledged when this returns.
        """
        (topic, partition), raw = source, records.raw
        places, homes = elsewhere(raw.keys, partition, self.partitions) if topic in TOPICS else NOWHERE
        if not len(places):
            return Passed()
        self.counters.misrouted[topic] += len(places)
        self._warn(source, raw.at(places[:1]))
        if not self.settings.labels.forward_misrouted:
            return Passed()
        # What was sent on once stays: workers that see other partition counts would send it to and fro.
        first = np.array([not was_forwarded(records[place]) for place in places.tolist()], np.bool_)
        rows = joined_rows(topic, raw.at(places[first]), self.settings)
        goes = np.isin(raw.offsets[places], rows.offsets)
        where = zip(places[goes].tolist(), homes[goes].tolist(), strict=True)
        await self.outputs.send_copies(topic, [_copy(records[place], partition, home) for place, home in where])
        return rows

    def _warn(self, source: tuple[str, int], example: RawChunk) -> None:
        topic, partition = source
        when, told = self._told.get(topic, (-TOLD_EVERY_S, 0))
        if self._now() - when < TOLD_EVERY_S or not len(joined_rows(topic, example, self.settings).offsets):
            return
        count = self.counters.misrouted[topic]
        self._told[topic] = self._now(), count
        log.warning(
            "%s: %d %srecords lie in another partition than their key's, such as offset %d of partition %d. %s. %s. "
            "`inferwatch check` looks again",
            topic,
            count - told,
            "more " if told else "",
            int(example.offsets[0]),
            partition,
            REMEDY,
            meanwhile(self.settings),
        )


NOWHERE = np.empty(0, np.int64), np.empty(0, np.int64)


def meanwhile(settings: Settings) -> str:
    """What becomes of the records until their producer is mended."""
    if settings.labels.forward_misrouted:
        return "Workers send them on to their partitions (labels.forward_misrouted), at the cost of reading them twice"
    return "Until then labels.forward_misrouted: true has workers send them on to their partitions"


def joined_rows(topic: str, raw: RawChunk, settings: Settings) -> Passed:
    """The rows that the join is for: those that can be used, of models that have it. A label says no model."""
    if topic == "labels":
        labels = decode_labels(raw, settings.windows.max_ahead_ms)
        return Passed(labels.offsets, labels.times)
    decoded = decode_predictions(raw, settings)
    runs = [run.rows for run in decoded.runs if settings.model(run.columns.model).join]
    rows = np.sort(np.concatenate([np.empty(0, np.int64), *runs]))
    return Passed(decoded.offsets[rows], decoded.times[rows])


def was_forwarded(record: Record) -> bool:
    return any(name == HEADER for name, _ in record.headers)


def staying(raw: RawChunk, passed: Passed) -> RawChunk:
    """The records of `raw` that are to be counted where they lie."""
    if not len(passed.offsets):
        return raw
    return raw.at(np.flatnonzero(~np.isin(raw.offsets, passed.offsets)))


def _copy(record: Record, partition: int, home: int) -> Copy:
    origin = HEADER, f"{partition}/{record.offset}".encode()
    return Copy(home, record.key, record.value, record.timestamp, [*record.headers, origin])

"""A chunk of a source -> its block's totals, and what is to be sent beside the parts."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.decoding.chunks import RawChunk, Reject
from app.decoding.columns import Ints
from app.decoding.decode import PredictionDecoder
from app.decoding.label_rows import decode_labels
from app.decoding.resource_rows import decode_resources
from app.decoding.runs import Decoded
from app.joining.corrections import correction_runs
from app.joining.entries import Pair
from app.joining.join import Join, Joined, Outcome, Store
from app.joining.layouts import Layouts
from app.joining.pairs import PairRun, examples, pair_runs
from app.joining.rows import join_labels, join_predictions
from app.messages import Message
from app.settings import Settings
from app.timestamps import rfc3339
from app.windowing.blocks import Block
from streams.counters import Counters
from streams.sources import Source

# A dead letter keeps this much of the record: it must fit into a message itself.
LARGEST_DEAD_LETTER = 512 * 1024
Rows = NDArray[np.bool_]


class Sample(NamedTuple):
    """Rows for `examples`. `labelled`: whether they are new ones; else they have a corrected label."""

    run: PairRun
    messages: list[Message]
    labelled: bool


@dataclass(slots=True)
class Counted:
    """What came of a chunk: the times of its good rows, its rejects, and the examples to send."""

    times: Ints
    rejects: list[Reject]
    samples: list[Sample] = field(default_factory=list)


class Counting:
    """Decodes, joins and counts. What was counted before is found out by the join, before anything is added."""

    def __init__(self, settings: Settings, counters: Counters) -> None:
        self.settings, self.counters = settings, counters
        self._decoder = PredictionDecoder(settings)
        self._by_topic: dict[str, Callable[[Source, Block, RawChunk, Store], Counted]] = {
            "predictions": self._predictions,
            "labels": self._labels,
        }

    def joined(self, source: Source, block: Block, raw: RawChunk, store: Store) -> Counted:
        """A chunk of `predictions` or `labels`."""
        return self._by_topic[source.name[0]](source, block, raw, store)

    def resources(self, block: Block, raw: RawChunk) -> Counted:
        rows = decode_resources(raw, self.settings.windows.max_ahead_ms)
        watermarks = np.full(len(rows.times), np.iinfo(np.int64).min)
        for columns, places in rows.runs:
            block.count_resources(columns, watermarks[places])
        return Counted(rows.times, rows.rejects)

    def _predictions(self, source: Source, block: Block, raw: RawChunk, store: Store) -> Counted:
        decoded = self._decoder.decode(raw)
        watermarks = source.earlier(decoded.times, decoded.offsets)
        counted = np.ones(len(decoded.times), np.bool_)
        joined = self._join_predictions(store, decoded, watermarks, counted)
        for run in decoded.runs:
            version = run.columns.model, run.columns.version
            mask = counted[run.rows]
            mine = None if mask.all() else mask
            self.counters.late[version] += block.count_predictions(run.columns, watermarks[run.rows], mine)
            self.counters.predictions[version] += int(mask.sum())
            self.counters.errors[version] += int((run.columns.failed & mask).sum())
        samples = list(self._pairs("predictions", block, joined, decoded.offsets, store.layouts))
        return Counted(decoded.times, decoded.rejects, samples)

    def _join_predictions(self, store: Store, decoded: Decoded, watermarks: Ints, counted: Rows) -> Joined:
        """What these predictions complete, by the rows of the chunk; clears `counted` where one came before."""
        found = join_predictions(self._join(store), decoded, watermarks, self.settings)
        if found is None:
            return Joined(np.empty(0, np.uint8))
        rows, joined = found
        self._outcomes("predictions", joined)
        counted[rows[joined.outcomes == Outcome.DUPLICATE]] = False
        if len(rows) == len(counted):  # all of them, each in its place
            return joined
        at = rows.tolist()
        pairs, corrections = (
            [Pair(at[row], entry, place) for row, entry, place in own] for own in (joined.pairs, joined.corrections)
        )
        return Joined(joined.outcomes, pairs, corrections)

    def _labels(self, source: Source, block: Block, raw: RawChunk, store: Store) -> Counted:
        labels = decode_labels(raw, self.settings.windows.max_ahead_ms)
        joined = join_labels(self._join(store), labels, source.earlier(labels.times, labels.offsets))
        self._outcomes("labels", joined)
        return Counted(
            labels.times, labels.rejects, list(self._pairs("labels", block, joined, labels.offsets, store.layouts))
        )

    def _pairs(self, topic: str, block: Block, joined: Joined, offsets: Ints, layouts: Layouts) -> Iterator[Sample]:
        """Counts the pairs that this chunk completed and the labels that it corrected, and makes the examples."""
        for run in pair_runs(joined.pairs, self._decoder.decode, layouts):
            version = run.pairs.model, run.pairs.version
            self.counters.late[version] += block.count_pairs(run)
            self.counters.labels[version] += run.pairs.size
            yield Sample(run, list(examples(run, topic, offsets[run.rows], self.settings)), labelled=True)
        for corrections in correction_runs(joined.corrections, self._decoder.decode, layouts):
            run = corrections.after
            self.counters.late[run.pairs.model, run.pairs.version] += block.count_corrections(corrections)
            yield Sample(run, list(examples(run, topic, offsets[run.rows], self.settings)), labelled=False)

    def _join(self, store: Store) -> Join:
        return Join(store, self.settings.labels.horizon_ms)

    def _outcomes(self, topic: str, joined: Joined) -> None:
        for outcome, rows in enumerate(np.bincount(joined.outcomes, minlength=len(Outcome)).tolist()):
            if rows:
                self.counters.outcomes[topic, Outcome(outcome).name.lower()] += rows


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

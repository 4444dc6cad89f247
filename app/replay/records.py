"""The general way of a replay: a file's rows as events, decoded and joined as a worker does with its records."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Protocol

import numpy as np

from app.decoding.chunks import RawChunk
from app.decoding.columns import Ints
from app.decoding.decode import PredictionDecoder
from app.decoding.label_rows import decode_labels
from app.files.rows import Event
from app.joining.entries import Pair
from app.joining.join import Join, Outcome, Store
from app.joining.pairs import pair_runs
from app.joining.rows import join_labels, join_predictions
from app.replay.counts import Counts
from app.replay.engine import STEP_ROWS, Engine
from app.sources.marks import later
from app.sources.watermarks import earlier_maximum


class JoinStore(Store, Protocol):
    """Where predictions wait for their labels; what was put can be read after `write`."""

    def write(self, topic: str, next_offset: int, watermark: int | None) -> object: ...


class RecordReplay:
    """Events in the order of their time -> an engine. `tell`: gets what is wrong with those that a worker refuses."""

    def __init__(self, engine: Engine, store: JoinStore, tell: Callable[[str], None]) -> None:
        self.engine = engine
        self.counts = Counts()
        self.refused = 0
        self._tell = tell
        self._store = store
        self._join = Join(store, engine.settings.labels.horizon_ms)
        self._decoder = PredictionDecoder(engine.settings)
        self._next = {"predictions": 0, "labels": 0}
        self._watermarks: dict[str, int | None] = {"predictions": None, "labels": None}

    def run(self, events: Iterable[Event], advanced: Callable[[int], None]) -> None:
        """Replays all `events`; calls `advanced` with how many more are counted."""
        rest = iter(events)
        while events := list(islice(rest, STEP_ROWS)):
            start = 0
            while start < len(events):
                first = events[start].time_ms
                self.engine.advance(self.engine.edge_before(first))
                end = bisect_left(events, self.engine.edge(first), start, key=lambda event: event.time_ms)
                self._step(events[start:end])
                start = end
            advanced(len(events))
        self.engine.finish()

    def _step(self, events: Sequence[Event]) -> None:
        if chunk := self._chunk("predictions", events):
            self._predictions(chunk)
        if chunk := self._chunk("labels", events):
            self._labels(chunk)

    def _chunk(self, topic: str, events: Sequence[Event]) -> RawChunk | None:
        own = [event for event in events if event.topic == topic]
        if not own:
            return None
        first = self._next[topic]
        self._next[topic] += len(own)
        offsets = np.arange(first, self._next[topic])
        # Without Kafka's time no event is too far ahead of it.
        return RawChunk(offsets, np.full(len(own), -1), [e.key for e in own], [e.value for e in own])

    def _predictions(self, chunk: RawChunk) -> None:
        decoded = self._decoder.decode(chunk)
        for reject in decoded.rejects:
            self._refuse(chunk, reject.place, reject.detail)
        counted = np.ones(len(decoded.times), np.bool_)
        watermarks = self._earlier("predictions", decoded.times, decoded.offsets)
        found = join_predictions(self._join, decoded, watermarks, self.engine.settings)
        if found is not None:
            rows, joined = found
            counted[rows[joined.outcomes == Outcome.DUPLICATE]] = False
            self._pairs([Pair(int(rows[pair.row]), pair.entry) for pair in joined.pairs])
        for run in decoded.runs:
            self.engine.predictions(run.columns, counted[run.rows])
        self._written("predictions")
        self.counts.predictions += int(counted.sum())
        self.counts.repeated += int((~counted).sum())

    def _labels(self, chunk: RawChunk) -> None:
        labels = decode_labels(chunk, self.engine.settings.windows.max_ahead_ms)
        for reject in labels.rejects:
            self._refuse(chunk, reject.place, reject.detail)
        joined = join_labels(self._join, labels, self._earlier("labels", labels.times, labels.offsets))
        self.counts.labels += len(labels.ids)
        self._pairs(joined.pairs)
        self._written("labels")

    def _pairs(self, pairs: Sequence[Pair]) -> None:
        for run in pair_runs(pairs, self._decoder.decode, self._store.layouts):
            self.engine.pairs(run)
            self.counts.pairs += run.pairs.size

    def _earlier(self, topic: str, times: Ints, offsets: Ints) -> Ints:
        before = self._watermarks[topic]
        if len(times):
            self._watermarks[topic] = later(before, int(times.max()))
        return earlier_maximum(times, offsets, before)

    def _written(self, topic: str) -> None:
        self._store.write(topic, self._next[topic], self._watermarks[topic])

    def _refuse(self, chunk: RawChunk, place: int, detail: str) -> None:
        self.refused += 1
        self._tell(f"{(chunk.keys[place] or b'').decode()}: {detail}")

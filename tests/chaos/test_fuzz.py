"""Records wrong in every way: each becomes a dead letter or counts, none is lost, and nothing breaks.

Faults are drawn from a seed, and guided by coverage: a record that reaches a new line of `app/` is changed further. The
short form runs with all other tests, `make chaos` changes a million.
"""

from collections import Counter
from itertools import count, groupby
from operator import attrgetter
from pathlib import Path
from random import Random

import numpy as np
import orjson
import pytest

from app.decoding.chunks import RawChunk
from app.decoding.decode import decode_predictions
from app.decoding.label_rows import decode_labels
from app.decoding.resource_rows import decode_resources
from app.drift.timeline import NOTHING
from app.events.labels import Label, LabelBatch
from app.events.predictions import Prediction, PredictionBatch
from app.events.resources import Resource
from app.monitor import Monitor
from app.settings import Settings
from app.sources.marks import Mark
from app.windowing.panes import PaneBoard
from streams.counters import Counters
from streams.counting import Counting, dead_letter
from streams.joins import JoinStore
from streams.sources import Source
from tests.app.closing import tick
from tests.chaos.coverage import Coverage
from tests.chaos.mutation import mutated
from tests.traffic import binary_traffic

TOPICS = ("predictions", "labels", "resources")
KAFKA_MS = 1_795_176_000_000
AT_ONCE = 250
BY_MODEL = attrgetter("model", "start")
TRACED = 4
CORPUS = 400
SETTINGS = Settings(worker={"block_records": 2000})  # type: ignore[arg-type]
KINDS = {"predictions": (Prediction, PredictionBatch), "labels": (Label, LabelBatch), "resources": (Resource,)}


class Corpus:
    """Records of one topic that are worth changing: at first good ones, then what reached something new."""

    def __init__(self, good: list[bytes]) -> None:
        self.good, self.found = good, list[bytes]()

    def draw(self, random: Random) -> bytes | None:
        pool = self.good if not self.found or random.random() < 0.5 else self.found
        return mutated(random.choice(pool), random.choice(self.good), random)

    def keep(self, value: bytes) -> None:
        self.found = [*self.found[-CORPUS:], value]


class Fuzz:
    """Feeds chunks to what a worker counts with, and holds what comes of each record."""

    def __init__(self, directory: Path, seed: int) -> None:
        self.random = Random(seed)
        self.coverage = Coverage()
        self.counting = Counting(SETTINGS, Counters())
        self.store = JoinStore(directory / "store", SETTINGS.labels.horizon_s)
        self.corpora = {topic: Corpus(good_records(topic)) for topic in TOPICS}
        self.sources = {topic: Source((topic, 0), 1, 0, Mark(), SETTINGS, lambda *_: NOTHING) for topic in TOPICS}
        self.fate: Counter[str] = Counter()
        self.published = 0

    def run(self, records: int) -> None:
        for number in count():
            if sum(self.fate.values()) >= records:
                return
            topic = TOPICS[number % 7 % 3]
            self._chunk(topic, [self.corpora[topic].draw(self.random) for _ in range(AT_ONCE)], number)

    def _chunk(self, topic: str, values: list[bytes | None], number: int) -> None:
        source = self.sources[topic]
        offsets = np.arange(source.next, source.next + len(values))
        raw = RawChunk(offsets, np.full(len(values), KAFKA_MS + number), [None] * len(values), values)
        if number % TRACED == 0:
            self._guide(topic, raw)
        for part in raw.blocks(SETTINGS.worker.block_records):
            self._count(topic, source, part)

    def _guide(self, topic: str, raw: RawChunk) -> None:
        """Some records of the chunk, one by one: which of them reach what none has reached."""
        for place in range(0, len(raw), 5):
            one = raw.part(place, place + 1)
            value = one.values[0]
            if self.coverage.new(lambda one=one: told_of(topic, one)) and value is not None:  # type: ignore[misc]
                self.corpora[topic].keep(value)

    def _count(self, topic: str, source: Source, raw: RawChunk) -> None:
        block = source.enter(int(raw.offsets[0]))
        kept, rejected = told_of(topic, raw)
        assert kept | rejected == set(raw.offsets.tolist()), "a record was lost"
        assert not kept & rejected, "a record counts and is a dead letter"
        if topic == "resources":
            counted = self.counting.resources(block, raw)
        else:
            counted = self.counting.joined(source, block, raw, self.store)
        assert {int(raw.offsets[reject.place]) for reject in counted.rejects} == rejected
        for reject in counted.rejects:
            orjson.dumps(dead_letter(source.name, raw, reject).value)
        for sample in counted.samples:
            orjson.dumps([message.value for message in sample.messages], option=orjson.OPT_SERIALIZE_NUMPY)
        self.fate["counted"] += len(kept)
        self.fate["dead letters"] += len(rejected)
        source.advance(counted.times, int(raw.offsets[-1]), KAFKA_MS, len(raw))
        if topic != "resources":
            self.store.write(topic, source.next, source.watermark)
        self._close(source)

    def _close(self, source: Source) -> None:
        """What a block came to, through the wire, as windows: of each figure, JSON can be made."""
        if not source.leaves_block(source.next):
            return
        board = PaneBoard(SETTINGS.windows)
        parts = [message.value for message in source.block.parts(source.next - 1)]
        wire = orjson.loads(orjson.dumps(parts, option=orjson.OPT_SERIALIZE_NUMPY))
        board.add(tick((*source.name, source.next, 2**60, False), **{source.name[0]: 1}), 0)
        for offset, part in enumerate(wire):
            board.add(part, offset + 1)
        for model, panes in groupby(sorted(board.ready(), key=BY_MODEL), key=attrgetter("model")):
            outcome = Monitor(model, SETTINGS, {}).close_panes(list(panes))
            orjson.dumps([message.value for message in outcome.messages], option=orjson.OPT_SERIALIZE_NUMPY)
            self.published += len(outcome.messages)


def good_records(topic: str) -> list[bytes]:
    """The examples of the contract, and plain traffic, some of it about the same predictions."""
    examples = [value for kind in KINDS[topic] for value in kind.model_json_schema()["examples"]]
    plain = [record.value for record in binary_traffic(60).of(topic)]
    return [*map(orjson.dumps, examples), *plain]


def told_of(topic: str, raw: RawChunk) -> tuple[set[int], set[int]]:
    """The offsets of the records that can be used, and of those that can't."""
    if topic == "predictions":
        decoded = decode_predictions(raw, SETTINGS)
        rejects, offsets = decoded.rejects, decoded.offsets
    elif topic == "labels":
        labels = decode_labels(raw, SETTINGS.windows.max_ahead_ms)
        rejects, offsets = labels.rejects, labels.offsets
    else:
        resources = decode_resources(raw, SETTINGS.windows.max_ahead_ms)
        rejected = {int(raw.offsets[reject.place]) for reject in resources.rejects}
        return set(raw.offsets.tolist()) - rejected if len(resources.times) == len(raw) - len(
            rejected
        ) else set(), rejected
    return set(offsets.tolist()), {int(raw.offsets[reject.place]) for reject in rejects}


@pytest.mark.parametrize("records", [20_000, pytest.param(1_000_000, marks=pytest.mark.chaos)])
def test_every_record_counts_or_is_a_dead_letter(records: int, tmp_path: Path) -> None:
    fuzz = Fuzz(tmp_path, seed=21)
    fuzz.run(records)
    print(f"\n{dict(fuzz.fate)}, {fuzz.published} windows, {len(fuzz.coverage.lines)} lines of app/ reached")
    assert fuzz.fate["counted"] + fuzz.fate["dead letters"] >= records
    assert min(fuzz.fate.values()) > records / 20

"""What one owner of a partition tells holds together with what the owners before it told."""

import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
from aiokafka import ConsumerRecord

from app.drift.timeline import NOTHING
from app.panes import PaneBoard
from app.settings import Settings
from app.told import SIDES
from streams.assignment import Assignment
from streams.chunks import Floors
from streams.ingest import Ingest
from streams.outputs import Outputs
from streams.reading import read
from streams.stores import store_path
from streams.topics import partition_counts
from tests.traffic import Sent, binary_traffic

BLOCK = 100


class Owner:
    """Partition 0 in one generation of the group, of which nothing was ever committed but its birth."""

    def __init__(self, outputs: Outputs, generation: int) -> None:
        floors = Floors()
        floors.generation = generation
        self.generation = generation
        assignment = Assignment(outputs.settings, floors, now=lambda: 1_795_176_000.0)
        self.ingest = Ingest(outputs.settings, outputs, assignment, partition_counts(outputs.settings))

    async def count(self, topic: str, records: Sequence[ConsumerRecord], step: int) -> None:
        """In chunks of `step` records, each of which is told."""
        source = self.ingest.begin((topic, 0), self.generation, records[0].offset, lambda model, version: NOTHING)
        for start in range(0, len(records), step):
            await self.ingest.chunk(source, list(records[start : start + step]))
            await self.ingest.flush(source)


def fetched(records: Sequence[Sent], topic: str) -> list[ConsumerRecord]:
    own = [record for record in records if record.topic == topic]
    return [
        ConsumerRecord(topic, 0, offset, 1_795_176_000_000, 0, record.key, record.value, None, 0, 0, ())
        for offset, record in enumerate(own)
    ]


def labelled(records: Sequence[Sent]) -> Counter[tuple[str, str]]:
    """Pairs by version and segment, as a batch job finds them."""
    predictions: dict[str, dict[str, Any]] = {}
    labels = set()
    for record in records:
        value = orjson.loads(record.value)
        if record.topic == "labels":
            labels.add(value["prediction_id"])
        elif value["prediction"] is not None:
            predictions.setdefault(value["prediction_id"], value)
    found: Counter[tuple[str, str]] = Counter()
    for identity in labels & predictions.keys():
        one = predictions[identity]
        found.update((one["version"], str(dict([pair]))) for pair in one["segments"].items())
        found[one["version"], "{}"] += 1
    return found


async def told(outputs: Outputs) -> Counter[tuple[str, str]]:
    """The same, as close adds up all parts on `panes`."""
    found: Counter[tuple[str, str]] = Counter()
    boards: dict[int, PaneBoard] = {}
    async for record in read(outputs.settings.broker, "panes"):
        board = boards.setdefault(record.partition, PaneBoard(outputs.settings.windows))
        board.add(orjson.loads(record.value), record.offset)
    for board in boards.values():
        for pane, model in sorted(board._open):
            for (version, segment, _), totals in board._merged(pane, model).cohorts.items():
                found[version, str(dict(segment))] += totals.label_count
    return found


async def test_an_owner_who_lost_the_store_counts_pairs_that_were_never_told(mock_broker: str, tmp_path: Path) -> None:
    """The first one had told of labels far ahead, when half of the predictions were not read yet."""
    settings = Settings(broker=mock_broker, data_dir=tmp_path, worker={"block_records": BLOCK})
    outputs = Outputs(settings)
    await outputs.start()
    records = [one for one in binary_traffic(2000, rate=20).records if one.partition == 0]
    for record in records:
        await outputs.producer.send(record.topic, value=record.value, key=record.key, partition=0)
    await outputs.producer.flush()
    sides = {topic: fetched(records, topic) for topic in SIDES}
    assert min(map(len, sides.values())) > 4 * BLOCK

    first = Owner(outputs, 3)
    await first.count("predictions", sides["predictions"][: 2 * BLOCK], 2 * BLOCK)
    await first.count("labels", sides["labels"], len(sides["labels"]))
    first.ingest.forget()
    assert await told(outputs) != labelled(records)

    shutil.rmtree(store_path(settings, 0))
    second = Owner(outputs, 5)
    await second.count("predictions", sides["predictions"], BLOCK)
    await second.count("labels", sides["labels"], BLOCK // 5)
    second.ingest.forget()
    await outputs.stop()
    assert await told(outputs) == labelled(records)

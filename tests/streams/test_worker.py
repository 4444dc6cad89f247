"""What a worker does with chunks of a partition that it has lost, and has not been told so."""

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.structs import ConsumerRecord
from faust.types import TP

from app.settings import Settings
from streams.assignment import Assignment
from streams.chunks import Floors, LostRecords
from streams.records import Records
from streams.worker import Worker

TPS = TP("predictions", 0)


def chunk(first: int, previous: int | None) -> Records:
    record: Any = ConsumerRecord("predictions", 0, first, 1000, 0, None, b"{}", None, -1, 2, ())
    return Records.of([record], previous)


@pytest.mark.parametrize("is_ours", [False, True])
async def test_chunks_of_a_lost_partition_are_left_out_one_after_the_other(is_ours: bool) -> None:
    """The broker refuses the claim, so the first was left out: that the next one does not follow on it is no loss."""

    async def claim(names: Any) -> bool:
        return is_ours

    floors = Floors()
    floors.committed = {TPS: (0, "")}
    worker: Any = object.__new__(Worker)
    worker.assignment = Assignment(Settings(), floors)
    worker.ingest = SimpleNamespace(sources={})
    worker.claims = SimpleNamespace(claim=claim)
    message = SimpleNamespace(tp=TPS, generation_id=3)
    if is_ours:
        with pytest.raises(LostRecords, match="offsets 0 to 499"):
            await worker._source(("predictions", 0), message, chunk(500, 499))
    else:
        for records in (chunk(0, None), chunk(500, 499)):
            assert await worker._source(("predictions", 0), message, records) is None

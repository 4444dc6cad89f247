"""What waits for one agent keeps nothing from the others."""

from pathlib import Path
from typing import Any

import pytest
from faust.channels import Channel

from app.settings import Settings
from streams.app import create_app
from streams.buffering import FEW_CHUNKS, MANY_CHUNKS, ChunkQueue


class Partition:
    """One that is read until its queue has many chunks, and again when there are few."""

    def __init__(self, queue: Any) -> None:
        self.queue, self.is_read = queue, True

    def brings(self, chunks: int) -> int:
        """How many it did bring."""
        for brought in range(chunks):
            if not self.is_read:
                return brought
            self.queue.put_nowait_enhanced(object(), on_pressure_high=self._stop, on_pressure_drop=self._go_on)
        return chunks

    def _stop(self) -> None:
        self.is_read = False

    def _go_on(self) -> None:
        self.is_read = True


@pytest.fixture
def queue(tmp_path: Path) -> Any:
    """Of a stream, as the app makes it."""
    app = create_app(Settings(data_dir=tmp_path), lambda: None)
    app.flow_control.resume()
    made = Channel(app, is_iterator=True).queue
    assert isinstance(made, ChunkQueue)
    return made


async def test_it_is_never_full(queue: Any) -> None:
    """Faust would wait for room in it, and hand on nothing of other topics meanwhile."""
    partitions = [Partition(queue) for _ in range(50)]
    assert [one.brings(99) for one in partitions] == [MANY_CHUNKS + 1] + [1] * 49
    assert not queue.full()


async def test_partitions_are_read_again_when_few_chunks_are_left(queue: Any) -> None:
    partitions = [Partition(queue) for _ in range(4)]
    for one in partitions:
        one.brings(99)
    while queue.qsize() > FEW_CHUNKS:
        assert not any(one.is_read for one in partitions)
        queue.get_nowait()
    while queue.qsize():
        queue.get_nowait()
    queue.maybe_endorse_pressure_drop()  # as whoever waits for more does first
    assert all(one.is_read for one in partitions)

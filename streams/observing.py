"""Takes a worker's snapshot, on its event loop."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from faust.types import TP

from streams.readiness import Readiness
from streams.snapshot import PartitionState, WorkerSnapshot, frozen

if TYPE_CHECKING:
    from streams.worker import Worker


class Observer:
    """Follows which partitions are assigned, and whether the worker has caught up with them."""

    def __init__(self, worker: "Worker") -> None:
        self.worker = worker
        self.readiness = Readiness(worker.settings.worker.block_records)
        self._assigned: frozenset[TP] = frozenset()
        worker.app.on_partitions_assigned.connect(self._on_assigned, weak=False)
        worker.app.on_partitions_revoked.connect(self._on_revoked, weak=False)

    def snapshot(self) -> WorkerSnapshot:
        worker, now_s = self.worker, time.monotonic()
        partitions = tuple(self._partitions())
        return WorkerSnapshot(
            taken_s=now_s,
            counted=frozen(worker.ingest.counters),
            partitions=partitions,
            models=tuple(
                monitor.snapshot()
                for _, shard in sorted(worker.close.shards.items())
                for _, monitor in sorted(shard.monitors.items())
            ),
            unready=self.readiness.reasons(
                partitions, rebalancing=worker.app.rebalancing, baselines=worker.ready.is_set(), now_s=now_s
            ),
        )

    async def _on_assigned(self, app: Any, assigned: set[TP], **_: object) -> None:
        self._assigned = frozenset(TP(*tp) for tp in assigned)

    async def _on_revoked(self, *_: object, **__: object) -> None:
        self._assigned = frozenset()

    def _partitions(self) -> Iterator[PartitionState]:
        logical, floors = self.worker.logical, self.worker.app.floors
        for tp in sorted(self._assigned):
            if tp.topic not in logical:
                continue
            begun = max(floors.committed.get(tp, (0, ""))[0], 0)
            position, watermark = self._reached(logical[tp.topic], tp.partition)
            yield PartitionState(
                logical[tp.topic],
                tp.partition,
                begun if position is None else position,
                floors.acknowledged.get(tp, begun),
                self.worker.app.consumer.highwater(tp),
                watermark,
            )

    def _reached(self, topic: str, partition: int) -> tuple[int | None, int | None]:
        """Position and watermark (ms) of what was processed since the partition was assigned."""
        if topic == "panes":
            shard = self.worker.close.shards.get(partition)
            return (None, None) if shard is None else (shard.next, shard.board.watermark())
        source = self.worker.ingest.sources.get((topic, partition))
        return (None, None) if source is None else (source.published.position, source.published.watermark)

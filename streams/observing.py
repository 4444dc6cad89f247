"""Takes a worker's snapshot, on its event loop."""

import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from faust.types import TP

from app.alerts.stalled import Stalled
from streams.readiness import Readiness
from streams.snapshot import PartitionState, WorkerSnapshot, frozen

if TYPE_CHECKING:
    from streams.worker import Worker


log = logging.getLogger(__name__)


class Observer:
    """Follows which partitions are assigned, and whether the worker has caught up with them; both go to the log."""

    def __init__(self, worker: "Worker") -> None:
        self.worker = worker
        self.readiness = Readiness(worker.settings.worker.block_records)
        self._assigned: frozenset[TP] = frozenset()
        self._ready = False
        worker.app.on_partitions_assigned.connect(self._on_assigned, weak=False)
        worker.app.on_partitions_revoked.connect(self._on_revoked, weak=False)

    def snapshot(self) -> WorkerSnapshot:
        worker, now_s = self.worker, time.monotonic()
        partitions = tuple(self._partitions())
        unready = self.readiness.reasons(
            partitions, rebalancing=worker.app.rebalancing, baselines=worker.ready.is_set(), now_s=now_s
        )
        unready += tuple(str(progress) for progress in worker.ingest.stores.unready.values())
        self._tell(unready)
        return WorkerSnapshot(
            taken_s=now_s,
            counted=frozen(worker.ingest.counters),
            partitions=partitions,
            models=tuple(
                monitor.snapshot()
                for _, shard in sorted(worker.close.shards.items())
                for _, monitor in sorted(shard.monitors.items())
            ),
            unready=unready,
        )

    async def _on_assigned(self, app: Any, assigned: set[TP], **_: object) -> None:
        self._assigned = frozenset(TP(*tp) for tp in assigned)
        log.info(
            "Assigned: %s", told(tp for tp in self._assigned if tp.topic in self.worker.logical) or "no partitions"
        )

    async def _on_revoked(self, *_: object, **__: object) -> None:
        self._assigned = frozenset()

    def _tell(self, unready: tuple[str, ...]) -> None:
        """Says when it becomes ready, and why it no longer is; not while it starts."""
        if self._ready == (not unready):
            return
        self._ready = not unready
        more = f", and {len(unready) - 1} more reasons" if len(unready) > 1 else ""
        log.info("Ready" if self._ready else f"Not ready: {unready[0]}{more}")

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
                self._stalled(logical[tp.topic], tp.partition),
            )

    def _stalled(self, topic: str, partition: int) -> Stalled | None:
        shard = self.worker.close.shards.get(partition) if topic == "panes" else None
        return None if shard is None else shard.standstill.stalled(shard.board.progress)

    def _reached(self, topic: str, partition: int) -> tuple[int | None, int | None]:
        """Position and watermark (ms) of what was processed since the partition was assigned."""
        if topic == "panes":
            shard = self.worker.close.shards.get(partition)
            return (None, None) if shard is None else (shard.next, shard.board.watermark())
        source = self.worker.ingest.sources.get((topic, partition))
        return (None, None) if source is None else (source.published.position, source.published.mark.watermark)


def told(partitions: Iterable[TP]) -> str:
    """``labels 0 1, predictions 0 1``."""
    by_topic: dict[str, list[int]] = defaultdict(list)
    for tp in sorted(partitions):
        by_topic[tp.topic].append(tp.partition)
    return ", ".join(f"{topic} {' '.join(map(str, numbers))}" for topic, numbers in by_topic.items())

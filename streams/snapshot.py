"""What a worker shows of itself: finished values, taken on its event loop and read by the thread that serves pages."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.alerts.stalled import Stalled
from app.snapshot import MonitorSnapshot
from streams.counters import BUCKETS_S, Counters


@dataclass(frozen=True, slots=True)
class PartitionState:
    """A partition that this worker reads; `topic` named as in the contract.

    `position`: everything below it was processed. `committed`: where a restart would begin. `end`: one past the newest
    record, None until the broker has said it. `watermark_ms`: event time reached, None before the first event.
    `stalled`: of `panes`, that and why it does not go on.
    """

    topic: str
    partition: int
    position: int
    committed: int
    end: int | None = None
    watermark_ms: int | None = None
    stalled: Stalled | None = None

    @property
    def name(self) -> str:
        return f"{self.topic}-{self.partition}"

    @property
    def lag(self) -> int | None:
        """Records that are still to be processed."""
        return None if self.end is None else max(self.end - self.position, 0)


@dataclass(frozen=True, slots=True)
class Histogram:
    """Seconds: how many took at most each of `BUCKETS_S`, how many in all, and their sum."""

    at_most: tuple[int, ...] = (0,) * len(BUCKETS_S)
    count: int = 0
    total_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Counted:
    """`streams.counters.Counters` at one moment."""

    predictions: Mapping[tuple[str, str], int] = field(default_factory=dict)
    errors: Mapping[tuple[str, str], int] = field(default_factory=dict)
    labels: Mapping[tuple[str, str], int] = field(default_factory=dict)
    late: Mapping[tuple[str, str], int] = field(default_factory=dict)
    dead_letters: Mapping[str, int] = field(default_factory=dict)
    misrouted: Mapping[str, int] = field(default_factory=dict)
    outcomes: Mapping[tuple[str, str], int] = field(default_factory=dict)
    given_up: int = 0
    chunks: Mapping[str, Histogram] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorkerSnapshot:
    """`taken_s`: monotonic seconds. `unready`: why the worker is not ready, a sentence each; empty when it is."""

    taken_s: float
    counted: Counted = Counted()
    partitions: tuple[PartitionState, ...] = ()
    models: tuple[MonitorSnapshot, ...] = ()
    unready: tuple[str, ...] = ()


def frozen(counters: Counters) -> Counted:
    return Counted(
        predictions=dict(counters.predictions),
        errors=dict(counters.errors),
        labels=dict(counters.labels),
        late=dict(counters.late),
        dead_letters=dict(counters.dead_letters),
        misrouted=dict(counters.misrouted),
        outcomes=dict(counters.outcomes),
        given_up=counters.given_up,
        chunks={topic: Histogram(tuple(d.at_most), d.count, d.total_s) for topic, d in counters.chunks.items()},
    )

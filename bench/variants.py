"""What is measured, and how much of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Variant:
    """`share`: of the events asked for. `once`: one run is enough. `segments`, `join`, `batches`: of a worker.

    `extra`: runs only where it is named. `waiting`: predictions that wait in the join's stores beforehand, by row.
    `horizon_s`: of the join.
    """

    name: str
    title: str
    share: float = 1.0
    once: bool = False
    unit: str = "event"
    segments: tuple[str, ...] = ()
    join: bool = False
    batches: bool = False
    extra: bool = False
    waiting: int = 0
    horizon_s: float = 604_800

    @property
    def is_worker(self) -> bool:
        return self.name not in ("limit", "stock", "rebuild", "latency")


LIMIT = Variant("limit", "reading and decoding alone (aiokafka, orjson)")
STOCK = Variant("stock", "ordinary Faust agent, event by event", share=0.15)
PLAIN = Variant("plain", "worker")
SEGMENTS = Variant("segments", "worker, two segment columns", segments=("channel", "region"))
JOIN = Variant("join", "worker, joining labels", unit="pair", join=True)
BATCHES = Variant("batches", "worker, batches of 1,000 rows", share=2.0, unit="row", batches=True)
LONG = Variant("long", "worker, four times the events", share=4.0, once=True)
PENDING = Variant(
    "join-pending",
    "worker, joining labels beside 25 times as many that wait",
    unit="pair",
    join=True,
    extra=True,
    waiting=25,
)
REBUILD = Variant("rebuild", "making the join's stores anew", unit="prediction", join=True, once=True, extra=True)
LATENCY = Variant("latency", "worker, at 5,000 events a second", share=0.5, join=True, once=True, extra=True)
# All that waits is forgotten after a minute of event time: a third of the events at the most is on the disk.
BACKLOG = Variant(
    "backlog",
    "worker, a backlog of four times the events, joined",
    share=4.0,
    once=True,
    unit="pair",
    join=True,
    extra=True,
    horizon_s=60,
)
VARIANTS = (LIMIT, PLAIN, SEGMENTS, JOIN, BATCHES, STOCK, LONG, PENDING, REBUILD, LATENCY, BACKLOG)

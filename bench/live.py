"""Events as they happen, so many a second, and how long after them their windows are published."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import orjson
from aiokafka import AIOKafkaProducer

from app.settings import Settings
from app.timestamps import milliseconds
from bench import traffic
from bench.kafka import Filled
from streams.topics import topic_name

PREDICTIONS_A_SECOND = 2_500
AT_ONCE = 50
LABEL_AFTER_MS = 1_000
# Connections, compiled patterns, a first window: they are no part of what is promised for every second.
WARM_UP_MS = 5_000


@dataclass(frozen=True, slots=True)
class Live:
    """What was fed. `labels`: (n,) when each label was sent, in ms; `lateness_ms`: for how long windows stay open."""

    filled: Filled
    labels: np.ndarray
    lateness_ms: int

    def delays(self, published: Mapping[str, tuple[str, str, int]]) -> dict[str, float]:
        """Seconds. `published`: window_id -> its start, its end, and when (ms) it was published first."""
        begun = int(self.labels[0]) + WARM_UP_MS
        # Later windows are closed by no prediction of theirs, but when all is known to be idle.
        ended = int(self.labels[-1]) - LABEL_AFTER_MS - self.lateness_ms
        windows = [(milliseconds(a), milliseconds(b), at) for a, b, at in published.values()]
        known = [(start, end, at) for start, end, at in windows if begun <= start and end <= ended]
        after = [at - end - self.lateness_ms for _, end, at in known]
        labels = [at - self.labels[(self.labels >= start) & (self.labels < end)] for start, end, at in known]
        return _quantiles("from a window's end and the lateness to its publication", np.array(after)) | _quantiles(
            "from a label to the publication of its window", np.concatenate(labels)
        )


def _quantiles(what: str, ms: np.ndarray) -> dict[str, float]:
    return {f"{what}, p{share}, s": float(np.percentile(ms, share)) / 1000 for share in (50, 99)}


async def feed(settings: Settings, rows: int) -> Live:
    """Sends predictions at a steady rate, and labels a second after them."""
    (made,) = traffic.slices(min(rows, traffic.SLICE), 0)
    events = [orjson.loads(record.value) for record in traffic.single(made)]
    filled, sent = Filled("predictions"), []
    producer = AIOKafkaProducer(bootstrap_servers=settings.broker, linger_ms=5)
    await producer.start()
    try:
        begun = time.time()
        labels_due = LABEL_AFTER_MS * PREDICTIONS_A_SECOND // 1000
        for first in range(0, rows + labels_due, AT_ONCE):
            await asyncio.sleep(max(begun + first / PREDICTIONS_A_SECOND - time.time(), 0))
            now = round(time.time() * 1000)
            for place in range(first, min(first + AT_ONCE, rows)):
                identity = f"l-{place}"
                event = events[place % len(events)] | {"prediction_id": identity, "timestamp": now}
                value = orjson.dumps(event)
                await producer.send(topic_name(settings, "predictions"), value, key=identity.encode())
                filled.rows, filled.value_bytes = filled.rows + 1, filled.value_bytes + len(value)
            for place in range(max(first - labels_due, 0), max(min(first - labels_due + AT_ONCE, rows), 0)):
                identity, label = f"l-{place}", made.labels[place % len(made.labels)]
                value = orjson.dumps({"prediction_id": identity, "label": label, "timestamp": now})
                await producer.send(topic_name(settings, "labels"), value, key=identity.encode())
                sent.append(now)
        await producer.flush()
    finally:
        await producer.stop()
    filled.ends[0] = 2 * rows
    return Live(filled, np.array(sent), settings.windows.lateness_ms)

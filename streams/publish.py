"""Sending events of a file to Kafka: fast, in order, each acknowledged or said to be lost.

By confluent-kafka's Producer, which hashes, batches and compresses outside Python. It is told to hash keys by murmur2,
as the Java client and aiokafka do: a label has to find the partition of its prediction.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from app.files.rows import Event
from app.settings import Settings
from streams.topicadmin import BrokerError, TopicAdmin
from streams.topics import plans, topic_name, unequal

PUBLISHED = ("predictions", "labels")
STEP_EVENTS = 500  # between two looks at the clock and at what came back
STEPS_PER_S = 20  # with a rate
STUCK_S = 30.0  # so long an event waits for its acknowledgement before it counts as lost
_quiet = logging.Logger("librdkafka", logging.CRITICAL + 1)


@dataclass(slots=True)
class Sent:
    """What was sent. `ahead`: events further in the future than workers accept. `seconds`: how long it took."""

    counts: Counter[str] = field(default_factory=Counter)
    ahead: int = 0
    first_ms: int | None = None
    last_ms: int | None = None
    seconds: float = 0.0

    @property
    def total(self) -> int:
        return self.counts.total()


def prepare(settings: Settings) -> None:
    """Checks that the broker has the topics of publishing. Raises BrokerError."""
    planned = [plan for plan in plans(settings) if plan.logical in PUBLISHED]
    admin = TopicAdmin(settings.broker)
    if admin.is_embedded():
        admin.create(planned)
    facts = admin.facts(plan.name for plan in planned)
    absent = [plan.name for plan in planned if plan.name not in facts]
    if absent:
        raise BrokerError(f"no topic {' and no topic '.join(absent)} on {settings.broker}: inferwatch topics create")
    for line in unequal(planned, facts):
        raise BrokerError(line)


class Publisher:
    """Sends events to the broker of `settings`, at most `rate` a second."""

    def __init__(self, settings: Settings, rate: float | None = None) -> None:
        self.settings = settings
        self.sent = Sent()
        self._rate = rate
        self._step = STEP_EVENTS if rate is None else max(1, min(STEP_EVENTS, round(rate / STEPS_PER_S)))
        self._names = {name: topic_name(settings, name) for name in PUBLISHED}
        self._lost: KafkaError | None = None
        self._producer = Producer(
            {
                "bootstrap.servers": settings.broker,
                "partitioner": "murmur2_random",
                "enable.idempotence": True,  # a retry neither doubles nor reorders
                "compression.type": "lz4",
                "linger.ms": 20,
                "batch.size": 512 * 1024,
                "message.max.bytes": 4 * 1024 * 1024,
                "message.timeout.ms": round(STUCK_S * 1000),
                "queue.buffering.max.kbytes": 64 * 1024,
                "delivery.report.only.error": True,
                "on_delivery": self._failed,
            },
            logger=_quiet,
        )

    def publish(self, events: Iterable[Event], advanced: Callable[[int], None]) -> Sent:
        """Sends all events, calls `advanced` with how many more were sent, and returns when all are acknowledged.

        Raises BrokerError when some were not. `sent` tells how far it came, also after an interruption.
        """
        begun = time.monotonic()
        step = 0
        try:
            limit_ms = self._limit_ms()
            for event in events:
                self._send(event, limit_ms)
                step += 1
                if step == self._step:
                    advanced(step)
                    step = 0
                    self._keep_pace(begun)
                    limit_ms = self._limit_ms()
        finally:
            self._flush()
            advanced(step)
            self.sent.seconds = time.monotonic() - begun
        self._raise_lost()
        return self.sent

    def _send(self, event: Event, limit_ms: int) -> None:
        while True:
            try:
                self._producer.produce(self._names[event.topic], key=event.key, value=event.value)
                break
            except BufferError:  # the queue is full: the broker is slower
                self._producer.poll(0.1)
                self._raise_lost()
            except KafkaException as error:
                raise BrokerError(f"{event.key.decode()}: {error.args[0].str()}") from error
        sent = self.sent
        sent.counts[event.topic] += 1
        sent.ahead += event.time_ms > limit_ms
        sent.first_ms = event.time_ms if sent.first_ms is None else min(sent.first_ms, event.time_ms)
        sent.last_ms = event.time_ms if sent.last_ms is None else max(sent.last_ms, event.time_ms)

    def _limit_ms(self) -> int:
        """Workers refuse what is later than this."""
        return round(time.time() * 1000) + self.settings.windows.max_ahead_ms

    def _keep_pace(self, begun: float) -> None:
        self._producer.poll(0)
        self._raise_lost()
        if self._rate is None:
            return
        due = begun + self.sent.total / self._rate
        while (early := due - time.monotonic()) > 0:
            self._producer.poll(min(early, 0.5))
            self._raise_lost()

    def _flush(self) -> None:
        while self._producer.flush(0.5) and not self._lost:
            pass

    def _failed(self, error: KafkaError, message: Message) -> None:
        del message
        self._lost = self._lost or error

    def _raise_lost(self) -> None:
        if self._lost:
            raise BrokerError(
                f"events were not acknowledged: {self._lost.str()}; publishing the file again sends the same events"
            )

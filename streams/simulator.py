"""A simulated serving system on Kafka: predictions, labels that come later, resources, and a world that changes."""

import asyncio
import heapq
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname, urlopen

import numpy as np
import orjson
from aiokafka import AIOKafkaProducer

from app.settings import Settings
from app.simulation.service import Service
from app.simulation.world import applications, era
from app.training import tabular
from app.training.artifact import sha256_of
from app.training.tabular import TabularModel
from streams.following import Follower
from streams.topics import topic_name

log = logging.getLogger(__name__)
Say = Callable[[dict[str, Any]], None]

FIRST_VERSION = "1"
FIRST_EXAMPLES = 6000
TICK_S = 0.25
ASK_AGAIN_S = 0.2
RESOURCES_EVERY_MS = 1000


@dataclass(frozen=True, slots=True)
class Simulation:
    """`rate`: requests a simulated second; the simulated clock runs `speed` times as fast as ours.

    The world changes `change_s` simulated seconds after the start, and again `again_s` after each new version.
    """

    model: str = "credit"
    rate: float = 300.0
    speed: float = 1.0
    seed: int = 7
    change_s: float = 15.0
    again_s: float = 60.0


class Simulator:
    """Sends what the service of a `Simulation` publishes; `say` is told what happens, an object at a time."""

    def __init__(
        self, settings: Settings, simulation: Simulation, run: str, now_ms: Callable[[], int], say: Say
    ) -> None:
        """`run` begins all prediction ids. `now_ms` is asked once: for the simulated time of the first request."""
        self.settings = settings
        self.simulation = simulation
        self.say = say
        self._name_of_run = run
        self._now_ms = now_ms
        self._start_ms = 0
        self._era = 0
        self._change_ms = 0.0
        self._owed = 0.0
        self._sent = {"predictions": 0, "labels": 0}
        self._labels: list[tuple[int, int, bytes, dict[str, Any]]] = []
        self._order = count()
        self._champions: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def run(self, begin_when: str | None = None) -> None:
        """Trains a first model and serves, until cancelled; first `begin_when` has to answer. A failed send ends it."""
        model = await asyncio.to_thread(first_model, self.simulation.seed)
        service = Service(self.simulation.model, self._name_of_run, self.simulation.seed, FIRST_VERSION, model)
        follower = Follower(self.settings, "model-versions", self._receive)
        producer = AIOKafkaProducer(bootstrap_servers=self.settings.broker, linger_ms=20, acks="all")
        await producer.start()
        try:
            await follower.start()
            while begin_when is not None and not await asyncio.to_thread(answers, begin_when):  # noqa: ASYNC110
                await asyncio.sleep(ASK_AGAIN_S)
            self._start_ms = self._now_ms()
            self._change_ms = self._start_ms + self.simulation.change_s * 1000
            self._tell("serving", self._start_ms, version=FIRST_VERSION, era=era(self._era).name)
            await self._serve(service, producer)
        finally:
            await follower.stop()
            await producer.stop()

    def _receive(self, key: bytes, value: bytes | None) -> None:
        record = orjson.loads(value) if value else {}
        if record.get("model") == self.simulation.model and record.get("status") == "champion":
            self._champions.put_nowait(record)

    async def _serve(self, service: Service, producer: AIOKafkaProducer) -> None:
        clock, began = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        last_ms = readings_ms = self._start_ms
        pending: list[asyncio.Future[Any]] = []
        while True:
            await asyncio.sleep(TICK_S)
            await asyncio.gather(*pending)
            now_ms = self._start_ms + int((clock.time() - began) * 1000 * self.simulation.speed)
            await self._deploy(service, now_ms)
            records = self._requests(service, last_ms, now_ms) + self._due_labels(now_ms)
            if now_ms >= readings_ms:
                readings_ms += RESOURCES_EVERY_MS
                records += self._resources(service, now_ms)
            pending = [await self._send(producer, *record) for record in records]
            last_ms = now_ms

    async def _send(
        self, producer: AIOKafkaProducer, topic: str, key: bytes, timestamp_ms: int, value: Any
    ) -> asyncio.Future[Any]:
        name = topic_name(self.settings, topic)
        sent: asyncio.Future[Any] = await producer.send(name, orjson.dumps(value), key, timestamp_ms=timestamp_ms)
        return sent

    def _requests(self, service: Service, last_ms: int, now_ms: int) -> list[tuple[str, bytes, int, Any]]:
        """The predictions of the requests between two times; their labels are kept until they are due."""
        if now_ms >= self._change_ms:
            self._era += 1
            self._change_ms = float("inf")
            self._tell("changed", now_ms, era=era(self._era).name)
        self._owed += self.simulation.rate * (now_ms - last_ms) / 1000
        asked = int(self._owed)
        self._owed -= asked
        times = np.linspace(last_ms, now_ms, asked, endpoint=False).astype(int).tolist()
        records = []
        for served in service.serve(times, era(self._era)):
            key = served.prediction["prediction_id"].encode()
            records.append(("predictions", key, served.timestamp_ms, served.prediction))
            if served.label is not None:
                heapq.heappush(self._labels, (served.label_ms, next(self._order), key, served.label))
        self._sent["predictions"] += len(records)
        return records

    def _due_labels(self, now_ms: int) -> list[tuple[str, bytes, int, Any]]:
        due = []
        while self._labels and self._labels[0][0] <= now_ms:
            label_ms, _, key, label = heapq.heappop(self._labels)
            due.append(("labels", key, label_ms, label))
        self._sent["labels"] += len(due)
        return due

    def _resources(self, service: Service, now_ms: int) -> list[tuple[str, bytes, int, Any]]:
        self._tell("sent", now_ms, **self._sent)
        readings = service.resources(now_ms, self.simulation.rate)
        return [("resources", service.name.encode(), now_ms, reading) for reading in readings]

    async def _deploy(self, service: Service, now_ms: int) -> None:
        """Serves the newest champion, if there is one that is not serving yet."""
        while not self._champions.empty():
            record = self._champions.get_nowait()
            if record["version"] == service.version or not record.get("artifact_uri"):
                continue
            try:
                service.model = await asyncio.to_thread(load_artifact, record)
            except (OSError, ValueError) as error:
                log.warning("Version %s is not served: %s", record["version"], error)
                continue
            service.version = record["version"]
            self._change_ms = now_ms + self.simulation.again_s * 1000
            self._tell("deployed", now_ms, version=service.version)

    def _tell(self, event: str, time_ms: int, **more: Any) -> None:
        self.say({"event": event, "time_ms": time_ms, **more})


def answers(url: str) -> bool:
    """Whether a page is there and says 200."""
    try:
        with urlopen(url, timeout=5) as page:
            return bool(page.status == HTTPStatus.OK)
    except OSError:
        return False


def first_model(seed: int) -> TabularModel:
    """What serving had before Inferwatch came: trained on the first era."""
    past = applications(np.random.default_rng([seed, 1]), era(0), FIRST_EXAMPLES)
    return tabular.fit("classification", past.features, past.outcomes)


def load_artifact(record: dict[str, Any]) -> TabularModel:
    """The model of a version's record. Raises ValueError when the file is not what was registered."""
    content = Path(url2pathname(urlsplit(record["artifact_uri"]).path)).read_bytes()
    if sha256_of(content) != record["artifact_sha256"]:
        raise ValueError(f"{record['artifact_uri']} has another checksum than was registered")
    return tabular.load(content)


def json_line(event: dict[str, Any]) -> None:
    """Tells the story on standard output, a JSON object a line."""
    sys.stdout.buffer.write(orjson.dumps(event) + b"\n")
    sys.stdout.buffer.flush()

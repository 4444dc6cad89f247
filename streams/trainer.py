"""The trainer: takes retraining requests one at a time and answers each with a version, once."""

import asyncio
import base64
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError
from pydantic import ValidationError

from app.events import RetrainingRequest
from app.identity import version_key
from app.messages import Message
from app.settings import Settings
from app.timestamps import rfc3339
from app.training.answer import version_record
from app.training.code import code_version
from app.training.versions import Record, announcements, next_version, unregistered
from streams.answers import answer, artifacts
from streams.outputs import Outputs
from streams.processes import in_background
from streams.reading import read
from streams.registry import Registry
from streams.topicadmin import BrokerError, TopicAdmin
from streams.topics import topic_name

log = logging.getLogger(__name__)

GROUP = "inferwatch-trainer"
TOPICS = ("retraining-requests", "examples", "model-versions", "dead-letters")
# A training may take hours: only the heartbeat, which goes on meanwhile, says whether this process is alive.
LONGEST_ANSWER_MS = 24 * 3600 * 1000


class Trainer:
    """Answers `retraining-requests`.

    The order is: train, register, announce on `model-versions` (acknowledged), note that in the registry, commit.
    A request that comes again after a crash is taken up where it stopped: announced already, registered or neither.
    """

    def __init__(self, settings: Settings, open_registry: Callable[[], Registry], now_ms: Callable[[], int]) -> None:
        """`open_registry` is called in a thread, since it takes seconds."""
        self.settings = settings
        self._open_registry = open_registry
        self._now_ms = now_ms
        self._outputs = Outputs(settings)

    async def run(self, once: bool) -> None:
        """Answers until cancelled; `once`: only what has been asked by now. What fails outside a training is raised."""
        session_ms = round(self.settings.worker.session_timeout_s * 1000)
        consumer = AIOKafkaConsumer(
            topic_name(self.settings, "retraining-requests"),
            bootstrap_servers=self.settings.broker,
            group_id=self.settings.topic_prefix + GROUP,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_interval_ms=LONGEST_ANSWER_MS,
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=session_ms // 5,
        )
        try:
            await self._outputs.start()
            await consumer.start()
            registry = await in_background(self._open_registry)
            log.info("Waiting for retraining requests")
            await self._consume(consumer, registry, once)
        finally:
            await consumer.stop()
            await self._outputs.stop()

    async def _consume(self, consumer: AIOKafkaConsumer, registry: Registry, once: bool) -> None:
        ends = await consumer.end_offsets(consumer.assignment()) if once else None
        while ends is None or await _pending(consumer, ends):
            for place, records in (await consumer.getmany(timeout_ms=1000, max_records=1)).items():
                for record in records:
                    await self._handle(record, registry)
                    await _commit(consumer, place, record.offset + 1)

    async def _handle(self, record: ConsumerRecord, registry: Registry) -> None:
        try:
            request = RetrainingRequest.model_validate_json(record.value or b"")
        except ValidationError as error:
            log.warning("A request that can't be read went to dead-letters: %s", _first_line(error))
            await self._outputs.send([Message("dead-letters", "retraining-requests", _dead_letter(record, error))])
            return
        log.info("Request %s: %s, %s (%s)", request.request_id, request.model, request.trigger, request.reason)
        told = await self._told(request.model)
        if any(known.get("request_id") == request.request_id for known in told):
            log.info("  answered before")
            await asyncio.to_thread(registry.announced, told)
            return
        await self._answer(request, registry, told)

    async def _told(self, model: str) -> list[Record]:
        """The newest record of each of the model's versions on `model-versions`, in order of their last mention."""
        records: dict[str, Record] = {}
        async for record in read(self.settings.broker, topic_name(self.settings, "model-versions")):
            value = orjson.loads(record.value) if record.value else {}
            if value.get("model") == model:
                records.pop(value["version"], None)
                records[value["version"]] = value
        return list(records.values())

    async def _answer(self, request: RetrainingRequest, registry: Registry, told: list[Record]) -> None:
        registered = await asyncio.to_thread(registry.find, request.model, request.request_id)
        if registered is not None and registered[1]:
            log.info("  answered before")
            return
        champion = _champion(told) or await asyncio.to_thread(registry.champion, request.model)
        if champion is None:
            first = unregistered(request.model, request.version, request.requested_at)
            champion = await asyncio.to_thread(registry.add, first)
        record = registered[0] if registered else await self._train(request, registry, told, champion)
        announced = announcements(record, champion)
        await self._outputs.send(
            [Message("model-versions", version_key(request.model, said["version"]), said) for said in announced]
        )
        await asyncio.to_thread(registry.announced, announced)
        log.info(
            "  version %s: %s, %s (%s)", *(record[key] for key in ("version", "status", "decision", "registry_uri"))
        )

    async def _train(
        self, request: RetrainingRequest, registry: Registry, told: list[Record], champion: Record
    ) -> Record:
        serving = [champion["version"], request.version]
        registered = await asyncio.to_thread(registry.versions, request.model)
        version = next_version([*serving, *registered, *(known["version"] for known in told)])
        found = await answer(self.settings, request, version, serving)
        model = self.settings.model(request.model)
        approval = model.retraining.approval if model.retraining else "automatic"
        code = await asyncio.to_thread(code_version, model.trainer is not None)
        created_at = rfc3339(self._now_ms())
        record = version_record(found, request.model, version, request.request_id, created_at, approval, code)
        return await asyncio.to_thread(registry.add, record)


def _champion(told: Iterable[Record]) -> Record | None:
    return next((record for record in reversed(list(told)) if record["status"] == "champion"), None)


async def _pending(consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> bool:
    return any([await consumer.position(place) < end for place, end in ends.items()])


async def _commit(consumer: AIOKafkaConsumer, place: TopicPartition, offset: int) -> None:
    try:
        await consumer.commit({place: offset})
    except CommitFailedError:
        log.warning("The group has changed meanwhile: whoever has %s now will find the request answered", place)


def _first_line(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def _dead_letter(record: ConsumerRecord, error: ValidationError) -> dict[str, Any]:
    return {
        "reason": "invalid",
        "detail": _first_line(error),
        "topic": "retraining-requests",
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": rfc3339(record.timestamp),
        "value_base64": base64.b64encode(record.value or b"").decode(),
    }


def check_topics(settings: Settings) -> None:
    """Raises BrokerError, with what to do, when a topic is missing."""
    needed = [topic_name(settings, topic) for topic in TOPICS]
    found = TopicAdmin(settings.broker).facts(needed)
    if missing := [name for name in needed if name not in found]:
        raise BrokerError(f"topics are missing ({', '.join(missing)}): run `inferwatch topics create`")


def registry_place(data_dir: Path, environ: Mapping[str, str]) -> tuple[str, Path]:
    """The address of the registry and the directory of its files."""
    directory = data_dir.absolute()
    return environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{directory}/registry.db", artifacts(data_dir)

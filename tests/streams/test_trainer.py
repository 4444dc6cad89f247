"""The trainer on an embedded broker: requests in, versions out, each request answered once."""

import asyncio
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import orjson
import pytest

from app.events import ModelVersion
from app.messages import Message
from app.settings import ModelSettings, RetrainingSettings, Settings, TrainerSettings
from app.training import tabular
from app.training.versions import Record
from streams.broker import embedded_broker
from streams.outputs import Outputs
from streams.reading import read
from streams.registry import Registry
from streams.topics import partition_counts, topic_name
from streams.trainer import Trainer

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload``")  # of MLflow

T = 1_795_000_000_000
ROWS = 1200


@pytest.fixture
def broker() -> Iterator[str]:
    with embedded_broker(partition_counts(Settings())) as address:
        yield address


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """One for all tests, since a new database takes seconds: models of one test are named for it."""
    directory = tmp_path_factory.mktemp("registry")
    return Registry(f"sqlite:///{directory}/registry.db", directory)


class Place:
    """A broker, a registry and a model of a test's own, and what it does with them."""

    def __init__(
        self, broker: str, registry: Registry | None, name: str, directory: Path, session_timeout_s: float = 1
    ) -> None:
        self.model = f"model-{name}"
        self.registry = registry
        # The embedded broker lets a group's next member in when the session of the one that left has run out.
        worker = {"session_timeout_s": session_timeout_s}
        self.settings = Settings(broker=broker, data_dir=directory, worker=worker)

    def configure(self, **model: Any) -> None:
        model.setdefault("trainer", TrainerSettings(entry_point="tests.streams.trainers:by_sign"))
        self.settings = self.settings.model_copy(update={"models": {self.model: ModelSettings(**model)}})

    async def send(self, *messages: Message, partition: int | None = None) -> list[tuple[int, int]]:
        outputs = Outputs(self.settings)
        await outputs.start()
        sent = await outputs.send(messages, partition)
        await outputs.stop()
        return sent

    async def ask(self, offsets: dict[str, list[int]], request_id: str = "r1", version: str = "1") -> None:
        request = {
            "request_id": request_id,
            "model": self.model,
            "version": version,
            "trigger": "performance",
            "reason": "accuracy 0.6 below 0.8",
            "alert_ids": ["a1"],
            "requested_at": "2026-11-20T12:00:00.000Z",
            "data": {"topic": "examples", "offsets": offsets, "start": None, "end": None},
            "baseline_id": None,
        }
        await self.send(Message("retraining-requests", self.model, request))

    async def train(self) -> None:
        assert self.registry is not None
        registry = self.registry
        await Trainer(self.settings, lambda: registry, lambda: T).run(once=True)

    async def versions(self) -> list[Record]:
        """Each is as the contract has it."""
        return [record for record in await self.records("model-versions") if ModelVersion.model_validate(record)]

    async def records(self, topic: str) -> list[Record]:
        name = topic_name(self.settings, topic)
        return [orjson.loads(record.value) async for record in read(self.settings.broker, name)]


@pytest.fixture
def place(broker: str, registry: Registry, request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Its trainer is a quick one, unless the test says otherwise."""
    name = hashlib.sha256(request.node.name.encode()).hexdigest()[:8]
    place = Place(broker, registry, name, tmp_path)
    place.configure()
    return place


def batches(model: str, right: float, rows: int = ROWS, version: str = "1") -> list[Message]:
    """Examples of a version that is right in that share of cases; what is true follows from the features."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=rows)
    labels = np.where(x > 0, "yes", "no")
    said = np.where(rng.random(rows) < right, labels, np.where(labels == "yes", "no", "yes"))
    return [
        Message(
            "examples",
            model,
            {
                "model": model,
                "version": version,
                "prediction_ids": [f"{version}-{row:05}" for row in part],
                "timestamps": [T + int(row) for row in part],
                "label_timestamps": [T + 1000 + int(row) for row in part],
                "features": {"x": x[part].tolist(), "job": ["a"] * len(part)},
                "predictions": said[part].tolist(),
                "probabilities": {},
                "labels": labels[part].tolist(),
                "segments": {},
                "completed_by": [["labels", int(row)] for row in part],
            },
        )
        for part in np.array_split(np.arange(rows), 6)
    ]


async def examples(place: Place, right: float = 0.7, **more: Any) -> dict[str, list[int]]:
    """Sends them over two partitions, with another model's between; their offset ranges, the end not included."""
    ours, others = batches(place.model, right, **more), batches("another", 0.5, rows=60)
    sent = [
        *await place.send(*ours[:3], others[0], partition=0),
        *await place.send(*others[1:], *ours[3:], partition=2),
    ]
    ranges: dict[str, list[int]] = {}
    for partition, offset in sent:
        ranges.setdefault(str(partition), [offset, offset])[1] = offset + 1
    return ranges


async def test_a_better_model_becomes_champion(place: Place) -> None:
    place.configure(trainer=None)
    await place.ask(await examples(place))
    await place.train()
    archived, champion = await place.versions()
    assert (archived["version"], archived["status"], archived["traffic"]) == ("1", "archived", 0.0)
    assert (champion["version"], champion["status"], champion["traffic"]) == ("2", "champion", 1.0)
    assert champion["request_id"] == "r1"
    assert champion["metrics"]["accuracy"] > 0.95
    assert champion["compared_with"]["version"] == "1"
    assert champion["compared_with"]["metrics"]["accuracy"] == pytest.approx(0.7, abs=0.06)
    assert champion["data"]["rows"] == ROWS
    assert champion["data"]["start"] == "2026-11-18T11:06:40.000Z"
    assert champion["code_version"]
    content = content_of(champion)
    assert hashlib.sha256(content).hexdigest() == champion["artifact_sha256"]
    assert tabular.load(content).predict({"x": [1.0, -1.0]}, 2).predictions == ["yes", "no"]
    assert not list((place.settings.data_dir / "training").iterdir())


def content_of(record: Record) -> bytes:
    return Path(urlsplit(record["artifact_uri"]).path).read_bytes()


async def test_the_registry_has_the_same(place: Place) -> None:
    await place.ask(await examples(place))
    await place.train()
    _, champion = await place.versions()
    assert champion["registry_uri"] == f"models:/{place.model}/2"
    assert place.registry.champion(place.model) == champion
    assert place.registry.versions(place.model) == ["2", "1"]
    entry = place.registry._client.get_model_version_by_alias(place.model, "champion")
    assert str(entry.version) == "2"
    shown = {key: entry.tags[key] for key in ("version", "status", "request_id", "artifact_sha256", "data_sha256")}
    assert shown == {key: champion[key] for key in shown}
    run = place.registry._client.get_run(entry.run_id)
    assert run.data.metrics["accuracy"] == champion["metrics"]["accuracy"]
    assert run.data.params["train_rows"] == "900"


async def test_a_model_that_is_no_better_is_rejected(place: Place) -> None:
    ranges = await examples(place, right=1.0)
    place.configure(trainer=TrainerSettings(entry_point="tests.streams.trainers:always_yes"))
    await place.ask(ranges)
    await place.train()
    (rejected,) = await place.versions()
    assert (rejected["version"], rejected["status"], rejected["traffic"]) == ("2", "rejected", 0.0)
    assert rejected["decision"].endswith(": rejected")
    first = place.registry.champion(place.model)
    assert first is not None
    assert (first["version"], first["decision"]) == ("1", "deployed elsewhere")


async def test_with_manual_approval_it_stays_a_candidate(place: Place) -> None:
    place.configure(retraining=RetrainingSettings(approval="manual"))
    await place.ask(await examples(place))
    await place.train()
    (candidate,) = await place.versions()
    assert (candidate["status"], candidate["traffic"]) == ("candidate", 0.0)
    assert candidate["decision"].endswith("waits for approval")


@pytest.mark.parametrize(
    ("rows", "trainer", "reason"),
    [
        (ROWS, TrainerSettings(command=["sh", "-c", "echo out of memory; false"]), "no model: sh ended with 1"),
        (
            ROWS,
            TrainerSettings(entry_point="tests.streams.trainers:forgets_the_model"),
            "no model: the trainer left no",
        ),
        (60, None, "no model: 60 labelled examples are too few, 100 are needed"),
    ],
)
async def test_what_fails_is_rejected_with_the_reason_and_stops_nothing(
    place: Place, rows: int, trainer: TrainerSettings | None, reason: str
) -> None:
    ranges = await examples(place, rows=rows)
    place.configure(trainer=trainer)
    await place.ask(ranges)
    await place.ask({"0": [5000, 6000]}, request_id="r2")
    await place.train()
    first, second = await place.versions()
    assert (first["version"], first["status"]) == ("2", "rejected")
    assert first["decision"].startswith(reason)
    assert first["artifact_uri"] is None
    assert (second["version"], second["request_id"]) == ("3", "r2")
    assert second["decision"] == "no model: there are no labelled examples in the requested range"


async def test_a_request_that_can_not_be_read_is_a_dead_letter(place: Place) -> None:
    await place.send(Message("retraining-requests", place.model, {"model": place.model}))
    await place.ask({})
    await place.train()
    (letter,) = await place.records("dead-letters")
    assert (letter["reason"], letter["topic"], letter["offset"]) == ("invalid", "retraining-requests", 0)
    assert [record["status"] for record in await place.versions()] == ["rejected"]


async def test_a_request_that_comes_again_is_answered_once(place: Place) -> None:
    ranges = await examples(place)
    for _ in range(3):
        await place.ask(ranges)
        await place.train()
    assert len(await place.versions()) == 2
    assert place.registry.versions(place.model) == ["2", "1"]


class Crash(Exception):
    pass


@pytest.mark.parametrize("step", ["after_add", "between_sends", "after_send"])
async def test_a_crash_leads_to_the_same_answer(place: Place, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """The process dies at each point between training and commit; the next one goes on from there."""
    await place.ask(await examples(place))
    with monkeypatch.context() as dying:
        die_at(step, dying)
        with pytest.raises(Crash):
            await place.train()
    await place.train()
    told = {record["version"]: record for record in await place.versions()}
    assert {version: record["status"] for version, record in told.items()} == {"1": "archived", "2": "champion"}
    assert (await place.versions())[-1] == told["2"]
    assert place.registry.champion(place.model) == told["2"]
    assert place.registry.versions(place.model) == ["2", "1"]


def die_at(step: str, patch: pytest.MonkeyPatch) -> None:
    send = Outputs.send

    async def sends_some(self: Outputs, messages: list[Message], partition: int | None = None) -> Any:
        if messages[0].topic != "model-versions":
            return await send(self, messages, partition)
        await send(self, messages[: 1 if step == "between_sends" else 0], partition)
        raise Crash

    def dies(self: Registry, records: Any) -> None:
        raise Crash

    if step == "after_send":
        patch.setattr(Registry, "announced", dies)
    else:
        patch.setattr(Outputs, "send", sends_some)


async def test_the_next_request_is_compared_with_the_new_champion(place: Place) -> None:
    await place.ask(await examples(place))
    await place.train()
    await place.ask(await examples(place, right=0.6, version="2"), request_id="r2", version="2")
    await place.train()
    told = await place.versions()
    assert [(record["version"], record["status"]) for record in told] == [
        ("1", "archived"),
        ("2", "champion"),
        ("2", "archived"),
        ("3", "champion"),
    ]
    assert told[-1]["compared_with"]["version"] == "2"


async def test_it_ends_in_the_middle_of_a_training(place: Place) -> None:
    ranges = await examples(place)
    place.configure(trainer=TrainerSettings(command=["sleep", "600"]))
    await place.ask(ranges)
    running = asyncio.create_task(place.train())
    directory = place.settings.data_dir / "training" / "r1"
    async with asyncio.timeout(30):
        while not (directory / "output.log").exists():  # noqa: ASYNC110 (written by the code under test)
            await asyncio.sleep(0.05)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await place.versions() == []
    place.configure()
    await place.train()
    assert [record["status"] for record in await place.versions()] == ["archived", "champion"]

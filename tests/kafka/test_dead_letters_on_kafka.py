"""Damaged records become letters, are mended and replayed, and count once in the windows; a killed replay too."""

import asyncio
import sys
import time
from asyncio.subprocess import DEVNULL
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.settings import Settings
from streams.cli import run
from streams.deadletters import extent, size
from streams.reading import read
from streams.topics import topic_name
from tests.kafka.harness import Published, WorkerProcess, counted, create_topics, produce
from tests.kafka.test_exactness import settings_for
from tests.streams.test_dead_letters import GOOD, refused, send
from tests.traffic import Sent, binary_traffic

pytestmark = pytest.mark.kafka
COUNT = 6000
EVERY = 10
MENDING = """
import json

def mend(record):
    if isinstance(record, bytes):
        return record + b"}"
    return record | {"model": "credit"} if record["model"] == 17 else None
"""


def damaged(number: int, good: bytes) -> bytes:
    """The same prediction, in one of three ways of being wrong; the last of them stays wrong."""
    event = orjson.loads(good)
    if number % 3 == 0:
        return orjson.dumps(event | {"model": 17})
    return good[:-1] if number % 3 == 1 else orjson.dumps(event | {"model": None})


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With a module `mending_on_kafka` in it."""
    (tmp_path / "mending_on_kafka.py").write_text(MENDING)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def replay(worker: WorkerProcess, *more: str) -> None:
    assert run(["--config", str(worker.config), "dead-letters", "replay", "--yes", *more]) == 0


async def test_mended_records_count_once_in_the_windows(
    kafka: str, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is replayed is older than what follows it in its partition: panes are kept open for it here."""
    settings = settings_for(kafka, directory, "letters", windows={"allowed_lateness_s": 3600, "idle_after_s": 600})
    create_topics(settings)
    start = time.time_ns() // 1_000_000 - 3_600_000
    good = binary_traffic(COUNT, start=start, late_share=0).of("predictions")
    good = list({record.key: record for record in reversed(good)}.values())
    records = [
        Sent(0, "predictions", one.partition, one.key, damaged(number, one.value)) if number % EVERY == 0 else one
        for number, one in enumerate(good)
    ]
    spoilt = len(range(0, len(good), EVERY))
    hopeless = sum(number % 3 == 2 for number in range(0, len(good), EVERY))
    await produce(settings, records)
    published = Published(settings, "windows", "dead-letters")
    with WorkerProcess(directory, settings) as worker:
        await published.until(lambda seen: len(seen.records["dead-letters"]) >= spoilt, worker)
        assert worker.stop() == 0
    assert counted(published.records["windows"], "predictions") == 0
    for _ in range(2):
        await asyncio.to_thread(replay, worker, "--with", "mending_on_kafka:mend")
    first, second = capsys.readouterr().out.split("Sent on ")[1:]
    assert f"{spoilt - hopeless} to predictions" in first
    assert f"Not sent: {hopeless} (left by the transform)." in first
    assert "nothing" in second
    usual = settings.model_copy(update={"windows": settings.windows.model_copy(update={"idle_after_s": 5})})
    with WorkerProcess(directory, usual) as worker:
        await published.until(
            lambda seen: counted(seen.records["windows"], "predictions") >= len(good) - hopeless, worker
        )
        assert worker.stop() == 0
    assert counted(published.records["windows"], "predictions") == len(good) - hopeless
    sent = [
        orjson.loads(one.value)["prediction_id"] for one in await records_of(settings, "predictions") if one.headers
    ]
    assert len(sent) == len(set(sent)) == spoilt - hopeless


async def records_of(settings: Settings, topic: str) -> list[Any]:
    return [record async for record in read(settings.broker, topic_name(settings, topic))]


async def test_a_replay_that_is_killed_is_finished_by_the_next(kafka: str, directory: Path) -> None:
    """`join: false` and resources are counted by nobody but us: the topic itself has each record once."""
    settings = settings_for(kafka, directory, "killed-replay")
    create_topics(settings)
    now = time.time_ns() // 1_000_000
    ids = [f"p{number}" for number in range(30_000)]
    await send(settings, refused("predictions", _early(ids, now), now - 3_600_000))
    worker = WorkerProcess(directory, settings)
    arguments = ["--config", str(worker.config), "dead-letters", "replay", "--yes"]
    command = [str(Path(sys.executable).with_name("inferwatch")), *arguments]
    kills = 0
    for enough in (1, 10_000, 20_000):
        process = await asyncio.create_subprocess_exec(*command, stdout=DEVNULL, stderr=DEVNULL)
        while process.returncode is None and await _count(settings) < enough:
            pass
        if process.returncode is None:
            process.kill()
        kills += await process.wait() != 0
    assert kills
    await asyncio.to_thread(replay, worker)
    found = [orjson.loads(record.value)["prediction_id"] for record in await records_of(settings, "predictions")]
    assert sorted(found) == sorted(ids)


def _early(ids: Sequence[str], now: int) -> list[dict[str, Any]]:
    """Predictions that were ahead of their time when they came first, and are not any more."""
    return [GOOD | {"prediction_id": identity, "timestamp": now} for identity in ids]


async def _count(settings: Settings) -> int:
    return size(await extent(settings, "predictions", 4))

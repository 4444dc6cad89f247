"""`inferwatch trainer` as a process: one answer a request, also when it is killed."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from app.settings import Settings, load
from streams.broker import embedded_broker
from streams.registry import Registry
from streams.topics import partition_counts
from streams.trainer import registry_place
from tests.streams.processes import descendants, gone
from tests.streams.test_trainer import Place, examples

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload``")  # of MLflow


@pytest.fixture
def broker() -> Iterator[str]:
    with embedded_broker(partition_counts(Settings())) as address:
        yield address


async def trainer(place: Place, *options: str) -> asyncio.subprocess.Process:
    """Trains with a function that waits for a file named `go` beside the configuration."""
    directory = place.settings.data_dir
    models = {place.model: {"trainer": {"entry_point": "tests.streams.trainers:by_sign_when_told"}}}
    written = {"broker": place.settings.broker, "models": models}
    file = directory / "inferwatch.yaml"
    file.write_text(yaml.safe_dump({**written, "data_dir": str(directory), "worker": {"session_timeout_s": 1}}))
    load(file, {})
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from streams.cli import main; main()", "--config", str(file), "trainer", *options),
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "GO": str(directory / "go")},
    )


async def told(process: asyncio.subprocess.Process, part: str) -> None:
    assert process.stderr is not None
    async with asyncio.timeout(120):
        async for line in process.stderr:
            if part in line.decode():
                return
    pytest.fail(f"the trainer ended without {part!r}")


async def test_a_killed_trainer_answers_once_when_it_comes_back(broker: str, tmp_path: Path) -> None:
    place = Place(broker, None, "ours", tmp_path)
    await place.ask(await examples(place))
    first = await trainer(place)
    await told(first, "training on 900 rows")
    children = descendants(first.pid)
    first.send_signal(signal.SIGKILL)
    await first.wait()
    await gone(*children)
    (tmp_path / "go").touch()
    for _ in range(2):
        again = await trainer(place, "--once")
        assert again.stderr is not None
        lines = (await again.stderr.read()).decode()
        assert (await again.wait(), "Traceback" in lines) == (0, False), lines
    assert [record["status"] for record in await place.versions()] == ["archived", "champion"]
    registry = await asyncio.to_thread(Registry, *registry_place(tmp_path, {}))
    assert registry.versions(place.model) == ["2", "1"]


async def test_it_ends_when_told(broker: str, tmp_path: Path) -> None:
    place = Place(broker, None, "ours", tmp_path)
    await place.ask(await examples(place))
    process = await trainer(place)
    await told(process, "training on 900 rows")
    children = descendants(process.pid)
    process.send_signal(signal.SIGTERM)
    assert process.stderr is not None
    assert (await process.stderr.read(), await process.wait()) == (b"", 0)
    await gone(*children)
    assert await place.versions() == []


async def test_missing_topics_are_said(tmp_path: Path) -> None:
    with embedded_broker() as address:
        process = await trainer(Place(address, None, "ours", tmp_path))
        assert process.stderr is not None
        said = (await process.stderr.read()).decode()
    assert await process.wait() == 1
    assert said.startswith("inferwatch: topics are missing (retraining-requests, examples,")
    assert said.endswith("run `inferwatch topics create`\n")
    assert os.listdir(tmp_path) == ["inferwatch.yaml"]

"""The registry: what can go wrong around its database. What it keeps is tested with the trainer."""

import asyncio
import sys
from pathlib import Path

import pytest

from app.training.versions import archived, unregistered
from streams.registry import Registry, registered_name

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload``")  # of MLflow
NOW = "2026-11-20T12:00:00.000Z"
OPEN = "import sys; from pathlib import Path; from streams.registry import Registry; Registry(sys.argv[1], Path('.'))"


async def test_a_crash_while_it_is_made_does_no_harm(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/registry.db"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", OPEN, uri)
    unfinished = tmp_path / "registry.db.new"
    async with asyncio.timeout(120):
        while not unfinished.exists() or not unfinished.stat().st_size:  # noqa: ASYNC110 (another process's file)
            await asyncio.sleep(0.01)
    process.kill()
    await process.wait()
    assert not (tmp_path / "registry.db").exists()
    assert Registry(uri, tmp_path).versions("credit") == []
    assert not unfinished.exists()


def test_names_that_mlflow_would_not_take(tmp_path: Path) -> None:
    registry = Registry(f"sqlite:///{tmp_path}/registry.db", tmp_path)
    for model in ("fraud/eu:1", "it's", "50%", "ünï"):
        first = registry.add(unregistered(model, "7", NOW))
        assert first["registry_uri"] == f"models:/{registered_name(model)}/1"
        assert registry.champion(model) == first
        registry.announced([archived(first)])
        assert registry.champion(model) is None
        assert registry.versions(model) == ["7"]

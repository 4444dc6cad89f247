"""One retraining request from its examples to the record that answers it."""

import asyncio
import logging
import shutil
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

from app.events import RetrainingRequest
from app.settings import Settings
from app.training.answer import Answer
from app.training.artifact import NoArtifact, seal, sha256_of
from app.training.examples import Examples, gather
from app.training.files import feature_kinds
from app.training.job import Job
from app.training.split import Split, split
from app.training.tabular import NothingToLearn
from streams.reading import read
from streams.topics import topic_name
from streams.training import TrainingFailed, timeout_s, train

log = logging.getLogger(__name__)

# Of more rows the newest of each partition are taken: memory stays bounded, and old rows teach little.
MOST_ROWS = 200_000


async def answer(settings: Settings, request: RetrainingRequest, version: str, serving: Sequence[str]) -> Answer:
    """Reads, trains and compares. What keeps a model from being trained is the answer's `decision`, not an exception.

    `version`: the number of the new one. `serving`: versions to compare with, in order of preference.
    """
    found = Answer(data={"topic": request.data.topic, "offsets": request.data.offsets, "rows": 0})
    try:
        examples = await _examples(settings, request)
        log.info("  read %d labelled examples%s", examples.size, _span(examples))
        await _train(settings, request, version, await _split(settings, request, examples, serving), found)
    except (NothingToLearn, TrainingFailed, NoArtifact) as error:
        found.decision = f"no model: {error}"
    return found


async def _examples(settings: Settings, request: RetrainingRequest) -> Examples:
    name = topic_name(settings, request.data.topic)
    ranges = {int(partition): (first, end) for partition, (first, end) in request.data.offsets.items()}
    kept: dict[int, deque[dict[str, Any]]] = {partition: deque() for partition in ranges}
    rows = dict.fromkeys(ranges, 0)
    async for record in read(settings.broker, name, ranges):
        batch = orjson.loads(record.value)
        if batch.get("model") != request.model:
            continue
        batches = kept[record.partition]
        batches.append(batch)
        rows[record.partition] += len(batch["prediction_ids"])
        while rows[record.partition] > MOST_ROWS / len(ranges) and len(batches) > 1:
            rows[record.partition] -= len(batches.popleft()["prediction_ids"])
    return await asyncio.to_thread(gather, [batch for partition in sorted(kept) for batch in kept[partition]])


async def _split(settings: Settings, request: RetrainingRequest, examples: Examples, serving: Sequence[str]) -> Split:
    versions = list(dict.fromkeys([*serving, *examples.versions[-1:]]))
    found = await asyncio.to_thread(split, examples, settings.model(request.model).task, versions)
    if found.used.size < examples.size:
        log.info("  version %s became worse: only the %d examples since then count", found.version, found.used.size)
    return found


async def _train(settings: Settings, request: RetrainingRequest, version: str, rows: Split, found: Answer) -> None:
    found.data |= {"rows": rows.used.size, **rows.used.span()}
    found.data_sha256 = await asyncio.to_thread(rows.used.sha256)
    own = settings.model(request.model).trainer
    job = Job(
        *(request.model, rows.version, request.request_id, rows.task, feature_kinds(rows.used.features)),
        entry_point=own.entry_point if own else None,
        command=own.command if own else None,
    )
    directory = settings.data_dir.absolute() / "training" / quote(request.request_id, safe="")
    log.info("  training on %d rows, the newest %d are held out", rows.train.size, rows.holdout.size)
    judged = await train(directory, job, rows, timeout_s(own))
    target = artifacts(settings.data_dir) / quote(request.model, safe="") / version
    await asyncio.to_thread(_keep, directory, target, found)
    found.parameters = judged.parameters
    found.judged(judged.verdict)


def _keep(directory: Path, target: Path, found: Answer) -> None:
    """Moves the artifact to where it stays, and removes the files of the training."""
    sealed = seal(directory / "artifact", target)
    found.artifact_uri, found.artifact_sha256 = sealed.as_uri(), sha256_of(sealed.read_bytes())
    shutil.rmtree(directory)


def artifacts(data_dir: Path) -> Path:
    """Where models are kept, by model and version."""
    return data_dir.absolute() / "models"


def _span(examples: Examples) -> str:
    span = examples.span()
    return f" of {span['start']} to {span['end']}" if span else ""

"""Partitions that were idle wake with rows of panes that closed meanwhile, around a `kill -9`: each is counted late."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.settings import Settings
from tests.kafka.harness import Published, WorkerProcess, counted, create_topics, free_port, produce
from tests.traffic import Sent, binary_traffic

pytestmark = pytest.mark.kafka
COUNT = 200
WINDOWS: dict[str, Any] = {
    "pane_s": 1,
    "allowed_lateness_s": 2,
    "idle_after_s": 1,
    "tumbling_s": [2],
    "hopping_s": [],
    "cohort_s": 10,
    "cohort_revision_s": 1,
}


def renamed(record: Sent, run: int) -> Sent:
    """The same prediction under another id, in the same partition."""
    event = orjson.loads(record.value)
    event["prediction_id"] += f"-{run}"
    return replace(record, value=orjson.dumps(event))


def in_cohorts(windows: list[dict[str, Any]]) -> int:
    """Predictions of the newest revision of each cohort of all traffic."""
    newest: dict[str, tuple[int, int]] = {}
    for window in windows:
        if window["kind"] == "cohort" and window["segment"] == {}:
            told = window["revision"], window["predictions"]
            newest[window["window_id"]] = max(newest.get(window["window_id"], told), told)
    return sum(predictions for _, predictions in newest.values())


async def test_no_row_is_lost_that_wakes_a_partition(kafka: str, tmp_path: Path) -> None:
    worker_settings = {"port": free_port(), "host": "127.0.0.1", "instance": "idle", "session_timeout_s": 6}
    settings = Settings(
        broker=kafka, topic_prefix="idle-", data_dir=tmp_path / "idle", worker=worker_settings, windows=WINDOWS
    )
    create_topics(settings)
    start = int(time.time() * 1000)
    traffic = binary_traffic(COUNT, start=start, rate=COUNT, late_share=0).of("predictions")
    published = Published(settings, "windows")
    with WorkerProcess(tmp_path, settings) as worker:
        await produce(settings, traffic)
        await published.until(lambda seen: counted(seen.records["windows"], "predictions") >= len(traffic), worker)
        for run in (1, 2):
            worker.kill()
            worker.start()
            await produce(settings, [renamed(record, run) for record in traffic])
            everything = (run + 1) * len(traffic)
            await published.until(lambda seen, rows=everything: in_cohorts(seen.records["windows"]) >= rows, worker)  # type: ignore[misc]
    assert in_cohorts(published.records["windows"]) == 3 * len(traffic)
    assert counted(published.records["windows"], "predictions") == len(traffic), "the closed windows stay as they are"

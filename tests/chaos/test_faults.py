"""Every window and cohort equals the truth of the produced records, whatever happens to workers and broker.

The short forms run with all other tests; `make chaos` runs the long ones. A failure names its seed and its faults.
"""

from pathlib import Path

import pytest

from deploy.kafka.server import KafkaServer
from tests.chaos.faults import broker_restart, kill, pause, rebalance
from tests.chaos.trial import endure, trial_settings

LONG = pytest.mark.chaos
pytestmark = pytest.mark.kafka


@pytest.mark.parametrize("times", [3, pytest.param(20, marks=LONG)])
async def test_killed_workers(times: int, kafka: str, tmp_path: Path) -> None:
    await endure(trial_settings(kafka, tmp_path, f"kills-{times}"), tmp_path, [kill] * times, seed=11)


@pytest.mark.parametrize("times", [3, pytest.param(20, marks=LONG)])
async def test_workers_that_join_and_leave(times: int, kafka: str, tmp_path: Path) -> None:
    await endure(trial_settings(kafka, tmp_path, f"rebalances-{times}"), tmp_path, [rebalance] * times, seed=12)


@pytest.mark.parametrize("times", [1, pytest.param(5, marks=LONG)])
async def test_broker_restarts(times: int, tmp_path: Path) -> None:
    with KafkaServer(tmp_path / "kafka") as server:
        settings = trial_settings(server.address, tmp_path, f"broker-restarts-{times}")
        await endure(settings, tmp_path, [broker_restart(server)] * times, seed=13)


@pytest.mark.parametrize("times", [1, pytest.param(5, marks=LONG)])
async def test_workers_that_stand_still_past_their_session(times: int, kafka: str, tmp_path: Path) -> None:
    settings = trial_settings(kafka, tmp_path, f"pauses-{times}")
    await endure(settings, tmp_path, [pause] * times, seed=14, workers=2)


@pytest.mark.parametrize("times", [1, pytest.param(5, marks=LONG)])
async def test_workers_that_come_back_when_others_do_their_work(times: int, kafka: str, tmp_path: Path) -> None:
    settings = trial_settings(kafka, tmp_path, f"returns-{times}")
    await endure(settings, tmp_path, [pause] * times, seed=16, workers=2, one_disk=False)

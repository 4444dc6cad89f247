"""Metrics and readiness of real workers on a real Kafka: what moves, what lags, what expired."""

import asyncio
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from prometheus_client.parser import text_string_to_metric_families

from app.settings import Settings
from tests.kafka.harness import PATIENCE_S, WorkerProcess, create_topics, free_port, produce
from tests.traffic import binary_traffic

pytestmark = pytest.mark.kafka

READ = {(topic, str(number)) for topic in ("labels", "panes", "predictions", "resources") for number in range(4)}


def settings_for(broker: str, directory: Path, prefix: str, name: str) -> Settings:
    worker = {"port": free_port(), "host": "127.0.0.1", "instance": name, "session_timeout_s": 6}
    worker["block_records"] = 8192  # a partition's records are more than one block
    return Settings(broker=broker, topic_prefix=f"{prefix}-", data_dir=directory / prefix, worker=worker)


def page(settings: Settings, path: str) -> tuple[int, str]:
    """Status and text; 0 while nothing listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{settings.worker.port}{path}") as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


class Scrape:
    """The samples of one scrape."""

    def __init__(self, settings: Settings) -> None:
        _, text = page(settings, "/metrics")
        self.samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    def values(self, name: str) -> list[float]:
        return [sample.value for sample in self.samples if sample.name == f"inferwatch_{name}"]

    def partitions(self) -> set[tuple[str, str]]:
        named = [sample.labels for sample in self.samples if sample.name == "inferwatch_consumer_lag"]
        return {(labels["topic"], labels["partition"]) for labels in named}

    def decides(self, model: str) -> bool:
        """Whether the model's windows and incidents are this worker's."""
        name = "inferwatch_segments_left_out_total"
        return any(sample.name == name and sample.labels["model"] == model for sample in self.samples)


async def until(condition: Callable[[], bool], *workers: WorkerProcess) -> None:
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while not condition():
        assert all(worker.alive() for worker in workers), [worker.said() for worker in workers]
        assert asyncio.get_running_loop().time() < deadline, [worker.said() for worker in workers]
        await asyncio.sleep(0.2)


def ready(settings: Settings) -> bool:
    return page(settings, "/readyz")[0] == 200


def shared_out(here: set[tuple[str, str]], there: set[tuple[str, str]]) -> bool:
    """Each page is of its worker's last second, so during a move one may still show what the other has already."""
    return not here & there and here | there == READ


async def test_series_follow_their_model_and_their_partitions_to_another_worker(kafka: str, tmp_path: Path) -> None:
    first, second = (settings_for(kafka, tmp_path, "moving", name) for name in ("one", "two"))
    create_topics(first)
    traffic = binary_traffic(6000)
    with WorkerProcess(tmp_path, first, "one") as one:
        await until(lambda: ready(first), one)
        await produce(first, traffic.records)
        await until(lambda: sum(Scrape(first).values("predictions_total")) == 6000, one)
        await until(
            lambda: sum(Scrape(first).values("consumer_lag")) == 0 and bool(Scrape(first).values("accuracy")), one
        )
        assert Scrape(first).partitions() == READ
        with WorkerProcess(tmp_path, second, "two") as two:
            await until(lambda: ready(first) and ready(second) and bool(Scrape(second).partitions()), one, two)
            await until(lambda: Scrape(first).decides("credit") != Scrape(second).decides("credit"), one, two)
            await until(lambda: shared_out(Scrape(first).partitions(), Scrape(second).partitions()), one, two)
            assert one.stop() == 0
            await until(lambda: ready(second) and Scrape(second).partitions() == READ, two)
            await until(lambda: Scrape(second).decides("credit"), two)
            assert two.stop() == 0


async def test_a_worker_behind_its_topics_is_not_ready_until_it_has_caught_up(kafka: str, tmp_path: Path) -> None:
    settings = settings_for(kafka, tmp_path, "behind", "one")
    create_topics(settings)
    traffic = binary_traffic(40_000, rate=2000)
    await produce(settings, traffic.records)
    seen = []
    with WorkerProcess(tmp_path, settings) as worker:

        def caught_up() -> bool:
            seen.append(page(settings, "/readyz"))
            return seen[-1][0] == 200

        await until(caught_up, worker)
        assert any("records behind" in text for status, text in seen if status == 503)
        assert sum(Scrape(settings).values("consumer_lag")) < len(traffic.records)
        assert worker.stop() == 0


async def test_what_expired_unread_is_no_lag_and_holds_nothing_up(kafka: str, tmp_path: Path) -> None:
    """Retention emptied the topics before the first worker came: their partitions begin, and end, beyond 0."""
    settings = settings_for(kafka, tmp_path, "expired", "one")
    create_topics(settings)
    traffic = binary_traffic(4000)
    await produce(settings, traffic.records)
    delete_all(settings)
    with WorkerProcess(tmp_path, settings) as worker:
        await until(lambda: ready(settings), worker)
        assert sum(Scrape(settings).values("consumer_lag")) == 0
        await produce(settings, [record for record in binary_traffic(4000, seed=2).records if record.partition == 1])
        await until(lambda: bool(Scrape(settings).values("accuracy")), worker)
        assert worker.stop() == 0


def delete_all(settings: Settings) -> None:
    admin = AdminClient({"bootstrap.servers": settings.broker})
    everything = -1  # up to the present end
    places = [
        TopicPartition(settings.topic_prefix + topic, number, everything)
        for topic in ("predictions", "labels")
        for number in range(4)
    ]
    for deleted in admin.delete_records(places).values():
        deleted.result()

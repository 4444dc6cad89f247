"""Brokers for tests, a real Apache Kafka for those marked `kafka` and the embedded one; the table of all trials."""

import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import astuple
from functools import cache
from typing import Any

import hypothesis
import pytest

from app.settings import Settings
from deploy.kafka.jars import missing as no_kafka
from deploy.kafka.server import KafkaServer
from streams.broker import embedded_broker
from streams.topics import partition_counts
from tests.chaos.table import ROWS, Row, lines

# A loud machine makes no test fail.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


def no_promtool() -> str | None:
    return None if shutil.which("promtool") else "install Debian's prometheus"


# Marker -> why what it stands for can't be had, None where it can.
NEEDS = {"kafka": cache(no_kafka), "promtool": no_promtool}


def pytest_configure() -> None:
    """A shell ignores Ctrl-C for what it runs in the background, and processes inherit that: tests send real ones."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests are skipped where what they are marked with can't be had; where CI is set they fail: it installs all."""
    for marker, why_not in NEEDS.items():
        reason = why_not() if item.get_closest_marker(marker) is not None else None
        if reason is not None:
            end = pytest.fail if os.environ.get("CI", "").lower() == "true" else pytest.skip
            end(f"no {marker} here: {reason}")


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Kafka that all tests share: take topic names and groups of your own.

    A test that stops or kills the broker starts one for itself: `KafkaServer(tmp_path)`.
    """
    with KafkaServer(tmp_path_factory.mktemp("kafka")) as server:
        yield server.address


@pytest.fixture
def mock_broker() -> Iterator[str]:
    """The address of an embedded broker of the test's own, with all topics of the default settings."""
    with embedded_broker(partition_counts(Settings())) as address:
        yield address


def pytest_sessionfinish(session: pytest.Session) -> None:
    """One process of several hands its trials on to the one that prints."""
    handed_on: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if handed_on is not None:
        handed_on["trials"] = [astuple(row) for row in ROWS]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """pytest-xdist: a process is done."""
    ROWS.extend(Row(*row) for row in getattr(node, "workeroutput", {}).get("trials", ()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if ROWS:
        terminalreporter.section("windows and cohorts against the truth")
        for line in lines(ROWS):
            terminalreporter.line(line)

"""The worker's pages: in a thread, of snapshots, and nothing else on the port."""

import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from app.settings import Settings, WorkerSettings
from streams.app import create_app
from streams.process import url
from streams.snapshot import WorkerSnapshot
from streams.web import HANGS_AFTER_S, Pages, hanging, listen
from tests.streams.test_metrics import EVERYTHING

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


class Site:
    """Pages without a worker behind them; `shown` is what they are given to show."""

    def __init__(self, directory: Path) -> None:
        self.shown = WorkerSnapshot(time.monotonic(), unready=("predictions-0 is 9000 records behind",))
        listener = listen(WorkerSettings(port=0, host="127.0.0.1"))
        self.port = listener.getsockname()[1]
        app = create_app(Settings(data_dir=directory), lambda: None)
        self.pages = app.web = Pages(app, listener, lambda: self.shown, 10_000)

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
        """Holds up the event loop until it is answered: a page that needed the loop would never be."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, dict(answer.headers), answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read().decode()

    def show(self, snapshot: WorkerSnapshot) -> None:
        self.shown = self.pages.newest = snapshot


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    site = Site(tmp_path)
    await site.pages.start()
    site.pages.newest = site.shown
    yield site
    await site.pages.stop()


async def test_alive_and_not_ready_while_the_loop_is_held_up(site: Site) -> None:
    assert site.get("/healthz")[::2] == (200, '{"status":"ok"}')
    status, headers, body = site.get("/readyz")
    assert (status, headers["Content-Type"]) == (503, "application/json; charset=utf-8")
    assert json.loads(body) == {"status": "unready", "reasons": ["predictions-0 is 9000 records behind"]}


async def test_ready(site: Site) -> None:
    site.show(WorkerSnapshot(time.monotonic()))
    assert site.get("/readyz")[::2] == (200, '{"status":"ready"}')


async def test_neither_alive_nor_ready_when_the_loop_hangs(site: Site) -> None:
    site.show(WorkerSnapshot(time.monotonic() - HANGS_AFTER_S - 5))
    for path in ("/healthz", "/readyz"):
        status, _, body = site.get(path)
        assert status == 503
        [reason] = json.loads(body)["reasons"]
        assert reason == "the event loop has not run for 35 s"


async def test_metrics_in_the_format_that_is_asked_for(site: Site) -> None:
    site.show(EVERYTHING)
    status, headers, body = site.get("/metrics")
    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert 'inferwatch_predictions_total{model="credit",version="3"} 1000.0\n' in body
    _, headers, body = site.get("/metrics", Accept=OPENMETRICS)
    assert headers["Content-Type"].startswith(OPENMETRICS)
    assert body.endswith("# EOF\n")


@pytest.mark.parametrize("path", ["/", "/table/", "/router/", "/stats/", "/graph/", "/performance/", "/metrics/x"])
async def test_nothing_else_is_served(site: Site, path: str) -> None:
    assert site.get(path)[0] == 404


def test_a_loop_hangs_when_it_took_no_snapshot_for_long() -> None:
    taken = WorkerSnapshot(taken_s=100.0)
    assert hanging(taken, 100.0 + HANGS_AFTER_S) == []
    assert hanging(taken, 142.0) == ["the event loop has not run for 42 s"]


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=rf"port {port} of 127.0.0.1: Address already in use; worker.port"):
            listen(WorkerSettings(port=port, host="127.0.0.1"))


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("0.0.0.0", "http://localhost:80"),
        ("::", "http://localhost:80"),
        ("10.1.2.3", "http://10.1.2.3:80"),
        ("fd00::1", "http://[fd00::1]:80"),
    ],
)
def test_where_the_pages_are(host: str, expected: str) -> None:
    assert url(host, 80) == expected

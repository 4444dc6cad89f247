"""The worker's pages: /metrics, /healthz and /readyz, in a thread of their own.

A busy event loop does not hold them up, since they read nothing but the newest snapshot, which the loop takes each
second. How old that one is says whether the loop still runs.
"""

import asyncio
import socket
import time
from collections.abc import Callable

import faust
from aiohttp.web import SockSite
from faust.web import Request, Response, View
from faust.web.drivers.aiohttp import Web
from prometheus_client.exposition import choose_encoder

from app.settings import WorkerSettings
from streams.metrics import WorkerCollector, registry_of
from streams.snapshot import WorkerSnapshot

EVERY_S = 1.0
# An event loop that has not run for this long hangs.
HANGS_AFTER_S = 30.0


class Pages(Web):
    """Faust's web server on a socket that listens already, with our pages and none of its own.

    `take`: makes a snapshot, on the event loop. `budget`: see `WorkerCollector`.
    """

    default_blueprints = production_blueprints = debug_blueprints = optional_blueprints = ()

    def __init__(
        self, app: faust.App, listener: socket.socket, take: Callable[[], WorkerSnapshot], budget: int
    ) -> None:
        super().__init__(app)
        self.listener = listener
        self.take = take
        self.newest = WorkerSnapshot(time.monotonic(), unready=("the worker is starting",))
        self.registry = registry_of(WorkerCollector(lambda: self.newest, budget))
        for page in (Metrics, Healthz, Readyz):
            self.add_view(page)

    async def on_start(self) -> None:
        await super().on_start()
        self.add_future(self._observe())

    async def _observe(self) -> None:
        while not self.should_stop:
            self.newest = self.take()
            await asyncio.sleep(EVERY_S)

    def _create_site(self) -> SockSite:
        return SockSite(self._runner, self.listener)


class Metrics(View):
    """What Prometheus scrapes, in the format that it asks for."""

    view_path, view_name = "/metrics", "metrics"

    async def get(self, request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return self.web.bytes(encode(self.web.registry), headers={"Content-Type": content_type})


class Healthz(View):
    """Whether the process is alive: restart it when not."""

    view_path, view_name = "/healthz", "healthz"

    async def get(self, request: Request) -> Response:
        return _answer(self, "ok", "failing", hanging(self.web.newest, time.monotonic()))


class Readyz(View):
    """Whether the worker has its partitions and keeps up with them."""

    view_path, view_name = "/readyz", "readyz"

    async def get(self, request: Request) -> Response:
        newest = self.web.newest
        return _answer(self, "ready", "unready", [*hanging(newest, time.monotonic()), *newest.unready])


def _answer(view: View, good: str, bad: str, reasons: list[str]) -> Response:
    if reasons:
        return view.json({"status": bad, "reasons": reasons}, status=503)
    return view.json({"status": good})


def hanging(newest: WorkerSnapshot, now_s: float) -> list[str]:
    """What is wrong with the event loop at `now_s` (monotonic seconds), if anything is."""
    age_s = now_s - newest.taken_s
    return [f"the event loop has not run for {age_s:.0f} s"] if age_s > HANGS_AFTER_S else []


def listen(settings: WorkerSettings) -> socket.socket:
    """The socket for the pages. Raises OSError, which says so, when the port is taken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        why = str(error.strerror).partition(" (while ")[0]
        raise OSError(f"port {settings.port} of {settings.host}: {why}; worker.port chooses another one") from error

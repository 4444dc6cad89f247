"""A worker as a process: what it needs of the broker before it begins, and how it ends."""

import asyncio
import logging
import os
import signal
import threading
from contextlib import suppress

import faust

from app.settings import Settings
from streams.collector import tune_collector
from streams.logs import log_lines, only_ours
from streams.mistakes import is_known, told
from streams.topicadmin import BrokerError, TopicAdmin
from streams.topics import plans, unequal
from streams.web import listen
from streams.worker import NEEDED, Worker

log = logging.getLogger("streams.worker")
# A broker that is away can't be told good-bye. Whatever is not done by then is repeated at the next start.
GOODBYE_S = 5.0
STOPS_WITHIN_S = 20.0


class Process(faust.Worker):
    """Faust's worker without its spinner and its own ways of logging."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(worker.app, override_logging=False, redirect_stdouts=False, quiet=True)
        self.spinner = None
        self.worker = worker
        self._last_resort: threading.Timer | None = None

    async def on_shutdown(self) -> None:
        """Nothing sends any more: agents and tasks have ended."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.worker.stop(), GOODBYE_S)

    def on_worker_shutdown(self) -> None:
        """Called when it has been told to stop, or has failed; stopping may then hang on the broker."""
        only_ours()
        failure = self.crash_reason
        if failure is not None and failure is not self.worker.failure:
            log.critical("The worker stops: %s", told(failure), exc_info=None if is_known(failure) else failure)
        self._end_in_time(0 if failure is None else 1)

    def _schedule_shutdown(self, received: signal.Signals) -> None:
        if self._last_resort is None:
            log.info("Told to stop (%s)", received.name)
            only_ours()
            self._end_in_time(0)
        super()._schedule_shutdown(received)

    def _end_in_time(self, code: int) -> None:
        if self._last_resort is None:
            self._last_resort = threading.Timer(STOPS_WITHIN_S, _end, (code,))
            self._last_resort.daemon = True
            self._last_resort.start()


def _end(code: int) -> None:
    log.warning("Stopping takes longer than %g s: the process ends as it is", STOPS_WITHIN_S)
    os._exit(code)


def run(settings: Settings) -> None:
    """Runs until it is told to stop; ends with SystemExit: 0 when told to, 1 after a failure, which is in the log.

    Raises OSError when the port is taken, BrokerError when the broker or its topics are not there.
    """
    log_lines()
    listener = listen(settings.worker)
    partitions = partitions_on(settings)
    pages = url(settings.worker.host, listener.getsockname()[1])
    log.info("Broker %s, data in %s", settings.broker, settings.data_dir)
    log.info("Pages: %s", ", ".join(pages + path for path in ("/metrics", "/healthz", "/readyz")))
    process = Process(Worker(settings, partitions, listener))
    tune_collector()  # before anything comes, which would wait for it
    try:
        process.execute_from_commandline()
    except SystemExit as end:
        log.info("Stopped after a failure" if end.code else "Stopped")
        raise


def url(host: str, port: int) -> str:
    """Where the pages of a worker that listens on `host` are for this machine."""
    if host in ("", "0.0.0.0", "::"):
        host = "localhost"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def partitions_on(settings: Settings) -> dict[str, int]:
    """Partitions of each topic that a worker needs, as the broker has them. Raises BrokerError with what to do."""
    planned = [plan for plan in plans(settings) if plan.logical in NEEDED]
    found = TopicAdmin(settings.broker).facts([plan.name for plan in planned])
    missing = [plan.name for plan in planned if plan.name not in found]
    if missing:
        raise BrokerError(f"topics are missing ({', '.join(missing)}): run `inferwatch topics create`")
    if lines := unequal(planned, found):
        raise BrokerError("; ".join(lines))
    return {plan.logical: found[plan.name].partitions for plan in planned}

"""The Faust application: its settings, and what happens around a rebalance."""

import os
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path

import faust

from app.settings import Settings
from streams.buffering import ChunkQueue
from streams.chunks import ChunkScheduler, ChunkTransport, Floors

# To work out the columns of a chunk takes as long as a thousand of its rows: a backlog is read in large ones.
RECORDS_A_POLL = 16384
# Compressed: half of it, which is the default, comes to nine thousand records.
PARTITION_FETCH_BYTES = 2 * 1024 * 1024


def named(settings: Settings) -> Settings:
    """The same, with a name for the worker: by default that of the machine, and the port."""
    instance = settings.worker.instance or f"{socket.gethostname()}-{settings.worker.port or os.getpid()}"
    return settings.model_copy(update={"worker": settings.worker.model_copy(update={"instance": instance})})


def create_app(settings: Settings, forget: Callable[[], None]) -> faust.App:
    """An app whose commits follow `app.floors`; it calls `forget` when partitions are revoked, after the last chunk."""
    instance = named(settings).worker.instance
    directory = Path(settings.data_dir) / f"faust-{instance}"
    directory.mkdir(parents=True, exist_ok=True)
    app = faust.App(
        f"{settings.topic_prefix}inferwatch",
        broker=[f"kafka://{server.strip()}" for server in settings.broker.split(",")],
        store="memory://",
        datadir=str(directory),
        key_serializer="raw",
        value_serializer="raw",
        ConsumerScheduler=ChunkScheduler,
        consumer_group_instance_id=instance,
        consumer_auto_offset_reset="earliest",
        topic_allow_declare=False,
        topic_disable_leader=True,
        stream_wait_empty=True,
        stream_recovery_delay=0.0,
        broker_max_poll_records=RECORDS_A_POLL,
        consumer_max_fetch_size=PARTITION_FETCH_BYTES,
        broker_commit_interval=1.0,
        broker_session_timeout=settings.worker.session_timeout_s,
        broker_heartbeat_interval=min(1.0, settings.worker.session_timeout_s / 5),
        broker_request_timeout=max(30.0, settings.worker.session_timeout_s * 2),
        web_in_thread=True,
    )
    app.transport = ChunkTransport(app.conf.broker_consumer, app)
    app.floors = Floors()
    app.FlowControlQueue = partial(ChunkQueue, app.flow_control)

    async def revoked(*_: object, **__: object) -> None:
        app.floors.clear()
        forget()

    app.on_partitions_revoked.connect(revoked, weak=False)
    return app

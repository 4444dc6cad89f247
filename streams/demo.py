"""The demo: a broker, a worker, a trainer and a simulated serving system, and what Inferwatch makes of them."""

import asyncio
import signal
import socket
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import yaml
from rich.console import Console
from rich.live import Live

from app.settings import Settings, TopicSettings, load
from app.simulation.story import Record, Story
from streams.broker import embedded_broker
from streams.children import Child, child
from streams.following import Follower
from streams.narration import Narration
from streams.terminal import TALL, screen
from streams.topics import partition_counts

MODEL = "credit"
FOLLOWED = ("windows", "alerts", "retraining-requests", "model-versions")
# One worker, a few hundred events a second: more would only be more and smaller chunks.
PARTITIONS = 2
REFRESH_S = 0.25
RATE_OVER_S = 3.0


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """`seconds`: how long, None until Ctrl-C. `port`: of the worker's pages. `as_json`: the summary alone on stdout."""

    seconds: float | None = None
    speed: float = 1.0
    port: int = 6066
    rate: float = 300.0
    seed: int = 7
    as_json: bool = False


def configuration(broker: str, directory: Path, port: int) -> dict[str, Any]:
    """The demo's `inferwatch.yaml`: short windows, and a rule that asks for retraining."""
    rule = {"metric": "accuracy", "below": 0.85, "windows": 2, "severity": "critical", "retrain": True}
    retraining = {"on": ["performance"], "min_labels": 3500, "cooldown_s": 60, "approval": "automatic"}
    return {
        "broker": broker,
        "data_dir": str(directory / "data"),
        "topics": {"partitions": PARTITIONS},
        # A version is held against its baseline from the next block on: blocks of a few seconds.
        "worker": {"port": port, "host": "127.0.0.1", "block_records": 256},
        "windows": {
            "pane_s": 1,
            "allowed_lateness_s": 1,
            "idle_after_s": 3,
            "tumbling_s": [5],
            "hopping_s": [[30, 5]],
            "cohort_s": 60,
            "cohort_revision_s": 10,
        },
        "models": {
            MODEL: {
                "task": "classification",
                "positive": "repaid",
                "baseline": {"first_events": 500},
                "rules": [rule],
                "retraining": retraining,
            }
        },
    }


@dataclass(slots=True)
class Rates:
    """Events a second by kind, over the last RATE_OVER_S."""

    seen: list[tuple[float, dict[str, int]]] = field(default_factory=list)

    def update(self, now_s: float, sent: Mapping[str, int]) -> dict[str, float]:
        self.seen = [(then, counts) for then, counts in self.seen if now_s - then <= RATE_OVER_S]
        self.seen.append((now_s, dict(sent)))
        first_s, first = self.seen[0]
        return {name: (count - first[name]) / max(now_s - first_s, REFRESH_S) for name, count in sent.items()}


class Demo:
    """The processes of one demo, and the story so far. All of them end with `stack`."""

    def __init__(self, options: DemoOptions, directory: Path, stack: AsyncExitStack) -> None:
        self.options = options
        self.story = Story(MODEL)
        self.stop = asyncio.Event()
        self._directory = directory
        self._stack = stack
        self._children: list[Child] = []
        topics = Settings(topics=TopicSettings(partitions=PARTITIONS))
        address = stack.enter_context(embedded_broker(partition_counts(topics)))
        self._file = directory / "inferwatch.yaml"
        self._file.write_text(yaml.safe_dump(configuration(address, directory, options.port), sort_keys=False))

    async def start(self) -> None:
        """The worker and the serving system; the trainer waits until there is something to see."""
        options = self.options
        await self._child("worker", "worker")
        simulate = ["simulate", "--speed", str(options.speed), "--rate", str(options.rate), "--seed", str(options.seed)]
        ready = f"http://127.0.0.1:{options.port}/readyz"
        simulator = await self._child("simulator", *simulate, "--model", MODEL, "--begin-when", ready, read=True)
        listening = asyncio.create_task(self._listen(simulator))
        self._stack.callback(listening.cancel)
        settings = load(self._file, {})
        story = self.story
        for topic, receive in zip(FOLLOWED, (story.window, story.alert, story.request, story.version), strict=True):
            follower = Follower(settings, topic, _receiver(receive))
            self._stack.push_async_callback(follower.stop)
            await follower.start()

    async def step(self) -> None:
        """Looks after the processes. Raises ChildEnded when one has failed."""
        for one in self._children:
            one.check()
        if len(self._children) == 2 and self.story.phase != "starting":
            await self._child("trainer", "trainer")

    async def _child(self, name: str, *arguments: str, read: bool = False) -> Child:
        # One thread each: on a small machine those of numerical libraries would take the processor from the others.
        environ = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        started = await self._stack.enter_async_context(
            child(name, ["--config", str(self._file), *arguments], self._directory, environ, read)
        )
        self._children.append(started)
        return started

    async def _listen(self, simulator: Child) -> None:
        async for line in simulator.lines():
            self.story.said(orjson.loads(line))


async def run(options: DemoOptions, out: Console) -> tuple[Record, bool]:
    """Runs the demo until its time is over or it is told to stop.

    The summary, and whether it was stopped before its time. Raises ChildEnded when one of the processes fails.
    """
    began_s = asyncio.get_running_loop().time()
    with tempfile.TemporaryDirectory(prefix="inferwatch-demo-") as name:
        async with AsyncExitStack() as stack:
            demo = Demo(options, Path(name), stack)
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, demo.stop.set)
            await demo.start()
            await _tell(demo, began_s, out)
    return demo.story.summary(), demo.stop.is_set()


def _receiver(receive: Callable[[Record], None]) -> Callable[[bytes, bytes | None], None]:
    def received(key: bytes, value: bytes | None) -> None:
        if value is not None:
            receive(orjson.loads(value))

    return received


async def _tell(demo: Demo, began_s: float, out: Console) -> None:
    """Shows the story until the end: a screen on a terminal, else lines."""
    options, clock = demo.options, asyncio.get_running_loop().time
    rates, narration = Rates(), Narration()
    base = f"http://127.0.0.1:{options.port}"
    urls = {"metrics": f"{base}/metrics", "health": f"{base}/healthz"}
    live = Live(console=out, auto_refresh=False) if out.is_terminal and not options.as_json else None
    with live or nullcontext():
        if live is None:
            out.print(*(f"{name} {url}" for name, url in urls.items()), sep="\n", highlight=False)
        while not demo.stop.is_set() and (options.seconds is None or clock() - began_s < options.seconds):
            await demo.step()
            speed = rates.update(clock(), demo.story.sent)
            if live is None:
                for line in narration.lines(demo.story):
                    out.print(line, highlight=False, soft_wrap=True)
            else:
                live.update(
                    screen(demo.story, speed, urls, _note(options, clock() - began_s), compact=out.height < TALL),
                    refresh=True,
                )
            with suppress(TimeoutError):
                await asyncio.wait_for(demo.stop.wait(), REFRESH_S)


def _note(options: DemoOptions, elapsed_s: float) -> str:
    if options.seconds is None:
        return "Ctrl-C ends it."
    return f"{max(options.seconds - elapsed_s, 0):.0f} s to go; Ctrl-C ends it."


def free_port(wanted: int) -> int:
    """`wanted`, or any free one for 0. Raises OSError when it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError as error:
            raise OSError(f"port {wanted} is taken: choose another one with --port") from error
        return int(probe.getsockname()[1])

"""Workers of one group: each has its instance and port, and one disk for all, or each its own."""

import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import ConsumerGroupState, KafkaException
from confluent_kafka.admin import AdminClient

from app.settings import Settings
from tests.kafka.harness import PATIENCE_S, NotEnough, WorkerProcess, free_port

SESSION_S = 6.0
POLL_S = 0.1
REQUEST_S = 5


class Fleet:
    """`members`: the workers that should run, by instance. `one_disk`: whether they share `data_dir`."""

    def __init__(self, settings: Settings, directory: Path, *, one_disk: bool = True) -> None:
        self.settings = settings
        self.directory = directory
        self.one_disk = one_disk
        self.members: dict[str, WorkerProcess] = {}
        self._joined = 0

    def join(self) -> str:
        """A worker that the group has never seen."""
        self._joined += 1
        instance = f"worker-{self._joined}"
        about = {"instance": instance, "port": free_port(), "host": "127.0.0.1", "session_timeout_s": SESSION_S}
        worker = self.settings.worker.model_copy(update=about)
        data = self.settings.data_dir if self.one_disk else self.directory / f"data-{instance}"
        settings = self.settings.model_copy(update={"worker": worker, "data_dir": data})
        self.members[instance] = WorkerProcess(self.directory, settings, instance).start()
        return instance

    async def leave(self, instance: str, *, politely: bool) -> None:
        worker = self.members.pop(instance)
        if not politely:
            worker.kill()
        elif code := await asyncio.to_thread(worker.stop):
            raise AssertionError(f"{instance} ended with {code} when told to stop: {worker.said()}")

    def restart(self, instance: str) -> None:
        """`kill -9`, and at once again as the same instance."""
        self.members[instance].kill()
        self.members[instance].start()

    @contextmanager
    def stopped(self, instance: str) -> Iterator[None]:
        """SIGSTOP, and SIGCONT in the end."""
        process = self.members[instance].process
        assert process is not None
        process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            process.send_signal(signal.SIGCONT)

    async def settled(self, without: str | None = None) -> None:
        """Waits until the group consists of the members, but for one, and each has its partitions."""
        await asyncio.to_thread(self._await_group, self.members.keys() - {without})

    def _await_group(self, instances: set[str]) -> None:
        group = f"{self.settings.topic_prefix}inferwatch"
        client = AdminClient({"bootstrap.servers": self.settings.broker})
        told = ""
        deadline = time.monotonic() + PATIENCE_S
        while self.alive() and time.monotonic() < deadline:
            try:
                described = client.describe_consumer_groups([group], request_timeout=REQUEST_S)[group].result()
            except KafkaException as error:  # its coordinator is still loading
                told = str(error)
            else:
                found = {member.group_instance_id for member in described.members}
                if found == instances and described.state == ConsumerGroupState.STABLE:
                    return
                told = f"{described.state} with {sorted(map(str, found))}"
            time.sleep(POLL_S)
        raise NotEnough(f"the group is not stable with {sorted(instances)} but {told}: {self.said()}")

    def alive(self) -> bool:
        return all(worker.alive() for worker in self.members.values())

    def said(self) -> str:
        dead = {name: worker for name, worker in self.members.items() if not worker.alive()}
        return "\n".join(f"--- {name}:\n{worker.said()}" for name, worker in (dead or self.members).items())

    def __enter__(self) -> "Fleet":
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.members.values():
            if worker.alive():
                worker.kill()

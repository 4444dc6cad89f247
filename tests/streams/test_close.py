"""Close tells that event time stands still, and that it goes on, beside the windows that it publishes."""

from types import SimpleNamespace
from typing import Any

import orjson

from app.messages import Message
from app.settings import Settings
from streams.baselines import Baselines
from streams.close import Close, Shard
from streams.outputs import Outputs
from tests.app.closing import SECOND, group, part, predictions, tick

SETTINGS = Settings.model_validate({"windows": {"tumbling_s": [10], "hopping_s": []}})
CLOCK = 1_795_176_000_000


class Sent(Outputs):
    """Keeps what is sent."""

    def __init__(self) -> None:
        super().__init__(SETTINGS)
        self.messages: list[Message] = []
        self.slots: list[str] = []

    async def send(self, messages: Any, partition: int | None = None) -> list[tuple[int, int]]:
        self.messages += messages
        return []

    async def send_raw(self, records: Any, *_: Any) -> list[tuple[int, int]]:
        self.slots += [orjson.loads(key)[1] for _, key, _ in records]
        return []

    def topics(self) -> list[str]:
        return [message.topic for message in self.messages]

    def states(self) -> list[str]:
        return [message.value["state"] for message in self.messages if message.topic == "alerts"]


class Panes:
    """A partition of `panes` in which a message stands each 10 s."""

    def __init__(self) -> None:
        self.sent, baselines = Sent(), Baselines(SETTINGS)
        self.close = Close(SETTINGS, self.sent, baselines)
        self.shard = Shard(0, 1, 0, SETTINGS, baselines)

    async def say(self, *messages: dict[str, Any]) -> None:
        for message in messages:
            offset = self.shard.next
            record: Any = SimpleNamespace(
                offset=offset, timestamp=CLOCK + offset * 10 * SECOND, value=orjson.dumps(message)
            )
            await self.close.chunk(self.shard, [record])


def told(second: int, *partitions: int) -> dict[str, Any]:
    lines = [("predictions", number, second, second * SECOND, False) for number in partitions]
    return tick(*lines, predictions=2)


async def test_a_partition_that_nobody_reads_is_an_alert_until_somebody_does() -> None:
    """
    first   50 ... 57    both read on    reader of the second gone    and back
    second  50
    """
    panes = Panes()
    await panes.say(part(group(predictions(3), 0)), told(50, 0, 1))
    assert panes.sent.topics() == ["windows"]
    await panes.say(*[told(50 + n, 0) for n in range(1, 6)])
    assert panes.sent.states() == [], "less than a minute"
    await panes.say(*[told(50 + n, 0) for n in range(6, 20)])
    assert panes.sent.states() == ["firing"]
    assert "decisions" in panes.sent.slots[-1], "it is stored: a new owner ends it"
    stalled = panes.shard.standstill.stalled(panes.shard.board.progress)
    assert stalled is not None
    assert stalled.held_by == (("predictions", 1),)
    await panes.say(told(70, 0, 1))
    assert panes.sent.states() == ["firing", "resolved"]
    assert panes.shard.standstill.stalled(panes.shard.board.progress) is None


async def test_before_event_time_begins_it_is_told_of_the_version_that_came() -> None:
    panes = Panes()
    await panes.say(part(group(predictions(3), 0), version="7"), *[told(50 + n, 0) for n in range(8)])
    (alert,) = [message.value for message in panes.sent.messages]
    assert (alert["state"], alert["version"], alert["evidence"]["held_by"]) == ("firing", "7", ["predictions-1"])

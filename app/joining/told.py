"""What was told of the records that are read again: which record completed each pair, and up to where all was counted.

It stands in the examples and in the ticks. Of two owners that say otherwise the newer one is believed: what the other
still sent counts for nobody.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from app.joining.entries import Side
from app.sources.fences import Fences, outdated
from app.sources.progress import Name

SIDES = {"predictions": Side.PREDICTION, "labels": Side.LABEL}


def other_side(name: Name) -> Name:
    """The partition whose records meet those of `name`."""
    topic, partition = name
    return next(other for other in SIDES if other != topic), partition


class _Fence(NamedTuple):
    """From `offset` of the examples on no owner older than `epochs` (topic -> epoch) is believed."""

    offset: int
    epochs: Mapping[str, int]


class Told:
    """Of one partition. `reached`: topic -> the offset below which all is known to be counted."""

    def __init__(self, partition: int, reached: Mapping[str, int]) -> None:
        self.partition = partition
        self.reached = dict(reached)
        self.sides: dict[str, dict[int, Side]] = defaultdict(dict)
        """Id -> time of the label (ms) -> the side with whose record the pair, or the correction, counted."""
        self._epochs: dict[tuple[str, int], int] = {}
        self._owners = Fences()
        self._fences: list[_Fence] = []

    def tick(self, value: bytes, offset: int) -> None:
        """A record of `panes`. Panes may have closed on its word: so that must hold again. To be read before examples.

        Parts say nothing here.
        """
        if not value.startswith(b'{"tick"'):
            return
        tick = orjson.loads(value)["tick"]
        for topic, partition, position, *_ in self._owners.lines(tick, offset):
            if topic in SIDES and partition == self.partition:
                self.reached[topic] = max(self.reached[topic], position)
        partition, end = tick.get("examples", (None, 0))
        if partition == self.partition:
            self._fences.append(_Fence(end, {topic: epoch for topic, _, epoch in tick["epochs"]}))

    def example(self, example: Mapping[str, Any], epoch: int, offset: int | None) -> None:
        """Rows of `examples`; without an offset they are our own and on their way."""
        fences = [] if offset is None else [fence for fence in self._fences if offset >= fence.offset]
        columns = example["prediction_ids"], example["label_timestamps"], example["completed_by"]
        for identity, time_ms, (topic, _) in zip(*columns, strict=True):
            if any(outdated(epoch, fence.epochs.get(topic, 0)) for fence in fences):
                continue
            if epoch >= self._epochs.get((identity, time_ms), 0):
                self._epochs[identity, time_ms] = epoch
                self.sides[identity][int(time_ms)] = SIDES[topic]

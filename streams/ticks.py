"""Ticks: how far each source partition of this worker has come, told to every partition of `panes`."""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from app.settings import WindowSettings
from app.sources.marks import later
from app.sources.progress import LastTick, Name, reached
from streams.sources import Published, quiet_watermark


@dataclass(slots=True)
class Quiet:
    """Since when (monotonic s), and at which position, each partition has been at its end without anything new."""

    since: dict[Name, tuple[int, float]] = field(default_factory=dict)

    def for_ms(self, name: Name, position: int, at_end: bool, now: float) -> int | None:
        """How long, or None when there is something to read."""
        if not at_end:
            self.since.pop(name, None)
            return None
        if self.since.get(name, (None,))[0] != position:
            self.since[name] = position, now
        return round((now - self.since[name][1]) * 1000)


class Ticks:
    """`at_end(name, position)`: whether everything of the partition was read; None when nobody can say yet."""

    def __init__(
        self, windows: WindowSettings, expected: dict[str, int], at_end: Callable[[Name, int], bool | None]
    ) -> None:
        self.windows = windows
        self.expected = expected
        self.at_end = at_end
        self.quiet = Quiet()

    def forget(self) -> None:
        self.quiet.since.clear()

    def idle(self, read: Mapping[Name, Published], told: Mapping[Name, LastTick]) -> dict[Name, int | None]:
        """Of the partitions that this worker reads, the idle ones, and to where (ms) their time goes on.

        `told`: what all sources were last heard to say, those of other workers too.
        """
        now = time.monotonic()
        idle = {}
        for name, published in read.items():
            at_end = self.at_end(name, published.position) is True
            quiet_ms = self.quiet.for_ms(name, published.position, at_end, now)
            if quiet_ms is not None and quiet_ms >= self.windows.idle_after_ms:
                idle[name] = quiet_watermark(published.mark, quiet_ms, self.windows)
        everybody = reached(self._said(name, read, idle, told) for name in self._expected())
        return {name: later(watermark, everybody) for name, watermark in idle.items()}

    def tick(
        self, read: Mapping[Name, Published], begun: Collection[Name], idle: Mapping[Name, int | None]
    ) -> bytes | None:
        """The tick of those partitions that records came from (`begun`) and of the idle ones, as far as they went on.

        Of a partition that was not read yet nothing is known: it may hold anything.
        """
        told = {name: published for name, published in read.items() if name in begun or name in idle}
        lines = [
            [*name, published.position, idle.get(name, published.mark.watermark), name in idle]
            for name, published in told.items()
        ]
        epochs = {name: published.mark.epoch for name, published in told.items()}
        return encoded(lines, epochs, self.expected) if lines else None

    def _expected(self) -> list[Name]:
        return [(topic, partition) for topic, count in self.expected.items() for partition in range(count)]

    def _said(
        self,
        name: Name,
        read: Mapping[Name, Published],
        idle: Mapping[Name, int | None],
        told: Mapping[Name, LastTick],
    ) -> tuple[int | None, bool]:
        """Watermark and idleness of a source: of our own as they are now, of others as they said."""
        if name in idle:
            return idle[name], True
        if name in read:
            return read[name].mark.watermark, False
        return (told[name].watermark, told[name].idle) if name in told else (None, False)


def encoded(
    lines: list[list[Any]],
    epochs: Mapping[Name, int],
    expected: Mapping[str, int],
    examples: tuple[int, int] | None = None,
) -> bytes:
    """`lines`: topic, partition, position, watermark, idle of each source. `epochs`: of these, or of more.

    `examples`: a partition of that topic, and the offset from which on only these owners and newer ones are believed.
    """
    owners = [[*name, epoch] for name, epoch in epochs.items()]
    said = {} if examples is None else {"examples": examples}
    return orjson.dumps({"tick": {"sources": lines, "epochs": owners, "expected": expected, **said}})

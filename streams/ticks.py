"""Ticks: how far each source partition of this worker has come, told to every partition of `panes`."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import orjson

from app.settings import WindowSettings
from streams.sources import Published, Source, quiet_watermark

Name = tuple[str, int]


@dataclass(slots=True)
class Quiet:
    """Since when (monotonic s) each partition has been read to its end without anything new."""

    since: dict[Name, float] = field(default_factory=dict)

    def for_ms(self, name: Name, at_end: bool, now: float) -> int | None:
        """How long, or None when there is something to read."""
        if not at_end:
            self.since.pop(name, None)
            return None
        return round((now - self.since.setdefault(name, now)) * 1000)


class Ticks:
    """`at_end(name)`: whether everything of the partition was read; None when nobody can say yet."""

    def __init__(
        self, windows: WindowSettings, expected: dict[str, int], at_end: Callable[[Name, int], bool | None]
    ) -> None:
        self.windows = windows
        self.expected = expected
        self.at_end = at_end
        self.quiet = Quiet()
        self.idle: set[Name] = set()

    def forget(self) -> None:
        self.quiet.since.clear()
        self.idle.clear()

    def tick(self, sources: dict[Name, Source], committed: dict[Name, Published]) -> bytes | None:
        """The tick of all partitions that this worker reads. `committed`: of those that no record came from yet."""
        now = time.monotonic()
        told = [self._state(name, sources.get(name), published, now) for name, published in committed.items()]
        lines = [line for line in told if line is not None]
        return self._encode(lines) if lines else None

    def awake(self, source: Source) -> bytes | None:
        """To be sent before the first part of a partition that was idle: it holds panes open again."""
        self.quiet.since.pop(source.name, None)
        if source.name not in self.idle:
            return None
        self.idle.discard(source.name)
        return self._encode([[*source.name, source.published.position, source.published.watermark, False]])

    def _state(self, name: Name, source: Source | None, committed: Published, now: float) -> list[object] | None:
        published = source.published if source else committed
        quiet_ms = self.quiet.for_ms(name, self.at_end(name, published.position) is True, now)
        idle = quiet_ms is not None and quiet_ms >= self.windows.idle_after_ms
        if not idle and source is None:
            return None
        watermark = published.watermark
        if idle and quiet_ms is not None:
            self.idle.add(name)
            watermark = quiet_watermark(published, quiet_ms, self.windows)
            if source is not None:
                source.watermark = watermark
        return [*name, published.position, watermark, idle]

    def _encode(self, lines: Iterable[list[object]]) -> bytes:
        return orjson.dumps({"tick": {"sources": list(lines), "expected": self.expected}})

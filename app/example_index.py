"""Where the joined truth of a model lies in `examples`, by event time: what a retraining request points at."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

from app.windowing.panes import Examples

# Beyond this, neighbours among the older half are joined: what is longer ago is needed only roughly.
MOST_ENTRIES = 256
# A block may be told of again after the next one was, by a pane that closes later.
BLOCKS_REMEMBERED = 4


@dataclass(slots=True)
class Entry:
    """Rows that became known in panes from `time` to `end` (ms): offsets `first` to `last` of `partition`."""

    time: int
    end: int
    partition: int
    first: int
    last: int
    rows: int


# `dataclasses.astuple` copies each value deeply, which took most of the time that closing a pane takes.
astuple = attrgetter(*(field.name for field in fields(Entry)))


@dataclass(frozen=True, slots=True)
class Stretch:
    """Partition -> offsets [from, to), `rows` of this model in them, of panes from `start` to `end` (ms)."""

    offsets: dict[str, list[int]]
    rows: int
    start: int
    end: int


class ExampleIndex:
    """The entries of one model, oldest first. `state`: as `state()` gave it.

    Of the newest blocks of each source it is remembered what was seen of them: the last offset, and the rows.
    Entries older than `keep_ms` are dropped, since the topic does not hold them much longer.
    """

    def __init__(self, keep_ms: int, state: Mapping[str, Any] | None = None) -> None:
        self.keep_ms = keep_ms
        state = state or {"entries": [], "blocks": {}}
        self.entries = [Entry(*entry) for entry in state["entries"]]
        self._blocks: dict[str, dict[str, list[int]]] = {name: dict(seen) for name, seen in state["blocks"].items()}

    def state(self) -> dict[str, Any]:
        return {"entries": [list(astuple(entry)) for entry in self.entries], "blocks": self._blocks}

    def add(self, start: int, end: int, examples: Iterable[Examples]) -> None:
        """Takes in what a pane knows of its blocks: what is new of them became known in this pane."""
        for one in examples:
            seen = self._blocks.setdefault(f"{one.block.topic}/{one.block.partition}/{one.version}", {})
            last, rows = seen.get(str(one.block.block), (one.first - 1, 0))
            if one.last > last:
                self.entries.append(Entry(start, end, one.partition, last + 1, one.last, one.rows - rows))
                seen[str(one.block.block)] = [one.last, one.rows]
            for block in sorted(seen, key=int)[:-BLOCKS_REMEMBERED]:
                del seen[block]
        self.entries = [entry for entry in self.entries if entry.end > end - self.keep_ms]
        if len(self.entries) > MOST_ENTRIES:
            self._shorten()

    def rows_since(self, time: int) -> int:
        """Rows of panes that ended after `time`."""
        return sum(entry.rows for entry in self.entries if entry.end > time)

    def since(self, time: int, at_least: int = 0) -> Stretch | None:
        """The rows since `time`, and older ones until there are `at_least` so many; None when there are none at all."""
        chosen: list[Entry] = []
        rows = 0
        for entry in reversed(self.entries):
            if entry.end > time or rows < at_least:
                chosen.append(entry)
                rows += entry.rows
        if not chosen:
            return None
        offsets: dict[str, list[int]] = {}
        for entry in sorted(chosen, key=lambda e: e.partition):
            known = offsets.setdefault(str(entry.partition), [entry.first, entry.last + 1])
            known[:] = [min(known[0], entry.first), max(known[1], entry.last + 1)]
        return Stretch(offsets, rows, min(entry.time for entry in chosen), max(entry.end for entry in chosen))

    def _shorten(self) -> None:
        """Joins neighbours of one partition in the older half, two and two."""
        kept: list[Entry] = []
        waiting: dict[int, Entry] = {}
        for entry in self.entries[: MOST_ENTRIES // 2]:
            before = waiting.pop(entry.partition, None)
            if before is None:
                kept.append(entry)
                waiting[entry.partition] = entry
            else:
                before.end, before.rows = max(before.end, entry.end), before.rows + entry.rows
                before.first, before.last = min(before.first, entry.first), max(before.last, entry.last)
        self.entries = kept + self.entries[MOST_ENTRIES // 2 :]

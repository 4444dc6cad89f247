"""The events of a file, counted, with its mistakes told on the way."""

from collections import Counter
from collections.abc import Callable, Iterator

from app.files import Table
from app.files.layout import Layout
from app.files.rows import Event, read_events


class FileEvents:
    """`counts`: events by topic, `mistaken`: rows that are none, both complete when `read` has ended."""

    def __init__(self, table: Table, layout: Layout, tell: Callable[[str], None]) -> None:
        self.counts: Counter[str] = Counter()
        self.mistaken = 0
        self._table = table
        self._layout = layout
        self._tell = tell

    def read(self, advanced: Callable[[int], None]) -> Iterator[Event]:
        """All events in the file's order. Each mistake is a line, `file:row: what`."""
        for read in read_events(self._table, self._layout):
            for mistake in read.mistakes:
                self._tell(f"{self._table.path}:{mistake.row}: {mistake.what}")
            self.mistaken += len(read.mistakes)
            self.counts.update(event.topic for event in read.events)
            yield from read.events
            advanced(read.rows)

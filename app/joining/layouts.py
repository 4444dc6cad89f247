"""How predictions lie in the join's entries: the names of what a packed one holds, once for all that are alike."""

from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple

import msgspec

# Traffic that names other features all the time would fill the store with layouts: it is kept as JSON.
MOST_LAYOUTS = 256
MARK_BYTES = 8


class Layout(NamedTuple):
    """`numbers`: features that are numbers or missing; `others`: all the rest. `classes`: of the probabilities.

    `segments`: their columns. `weighted`: whether a weight is kept.
    """

    model: str
    version: str
    task: str
    numbers: tuple[str, ...]
    others: tuple[str, ...]
    classes: tuple[str, ...]
    segments: tuple[str, ...]
    weighted: bool

    @property
    def width(self) -> int:
        """Numbers of a row."""
        return len(self.numbers) + len(self.classes) + self.weighted


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Layout).decode


class Layouts:
    """Those of one store, by their marks: a hash, so that stores made anew have the same ones."""

    def __init__(self, kept: Iterable[bytes] = ()) -> None:
        """`kept`: what `unwritten` gave before."""
        self._marks: dict[Layout, bytes] = {}
        self._layouts: dict[bytes, Layout] = {}
        self._unwritten: dict[bytes, bytes] = {}
        for description in kept:
            self._add(description)

    def mark(self, layout: Layout) -> bytes | None:
        """The mark of `layout`; None where it is not known and there are too many."""
        mark = self._marks.get(layout)
        if mark is None and len(self._marks) < MOST_LAYOUTS:
            description = _encode(layout)
            mark = self._add(description)
            self._unwritten[mark] = description
        return mark

    def __getitem__(self, mark: bytes) -> Layout:
        return self._layouts[mark]

    def adopt(self, others: "Layouts") -> None:
        """Has those of another store too: entries of that one can be put then."""
        for layout, mark in others._marks.items():
            if mark not in self._layouts:
                self._unwritten[mark] = _encode(layout)
                self._add(self._unwritten[mark])

    @property
    def unwritten(self) -> dict[bytes, bytes]:
        """Mark -> description of those that are not on the disk yet. They go there before any entry that needs them."""
        return self._unwritten

    def _add(self, description: bytes) -> bytes:
        layout, mark = _decode(description), blake2b(description, digest_size=MARK_BYTES).digest()
        self._marks[layout], self._layouts[mark] = mark, layout
        return mark

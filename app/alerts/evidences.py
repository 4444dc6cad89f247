"""The evidence about each version and segment of one model, each in slots of the state of its own.

It is stored when a window was judged, just before the decisions that were drawn from it. A crash between the two must
not count the window twice; so each has two slots, which are written by turns, and the newest counts that is not ahead
of the decisions.
"""

import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from app.alerts.evidence import Evidence
from app.config.model_settings import RiverKind, SingleRule
from app.identity import identifier
from app.segments import Segment, as_object, from_object

PREFIX = "evidence/"
TURNS = 2
Key = tuple[str, Segment]


class Evidences:
    """`state`: the model's slots, as stored. `clock`: up to when (ms) its stored decisions are, None without any.

    `chosen`: rule -> the detector that watches it instead.
    """

    def __init__(
        self,
        state: Mapping[str, bytes] | None = None,
        clock: int | None = None,
        chosen: Mapping[SingleRule, RiverKind] | None = None,
    ) -> None:
        self.chosen = chosen
        self._of: dict[Key, Evidence] = {}
        self._turn: dict[Key, int] = {}
        """Of each, the slot that holds what the stored decisions were drawn from."""
        self._changed: dict[Key, int] = {}
        self._forgotten: set[Key] = set()
        self._stored: set[str] = set()
        through: dict[Key, int] = {}
        for name, packed in sorted((state or {}).items()):
            if name.startswith(PREFIX):
                self._stored.add(name)
                value = orjson.loads(packed)
                key = value["version"], from_object(value["segment"])
                if clock is not None and through.get(key, -1) < value["through"] <= clock:
                    through[key], self._turn[key] = value["through"], int(name.rpartition("/")[2])
                    self._of[key] = Evidence(_unpacked(value["evidence"]), chosen)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._of)

    def of(self, version: str, segment: Segment) -> Evidence:
        """That of a version and segment, which begins with the first window that is asked for."""
        key = version, segment
        if key not in self._of:
            self._of[key] = Evidence(chosen=self.chosen)
            self._forgotten.discard(key)
        return self._of[key]

    def judged(self, version: str, segment: Segment, end: int) -> None:
        """A window that ends at `end` (ms) is in it."""
        self._changed[version, segment] = end

    def forget(self, versions: set[str]) -> None:
        """Gives up what is known of these versions."""
        for key in [key for key in self._of if key[0] in versions]:
            del self._of[key]
            self._changed.pop(key, None)
            self._turn.pop(key, None)
            self._forgotten.add(key)

    def changes(self, position: int) -> tuple[dict[str, bytes], list[str]]:
        """What is to be stored since the last call, and the slots that are to go. `position`: stored beside it."""
        values = {}
        for key in sorted(self._changed):
            self._turn[key] = (self._turn.get(key, 1) + 1) % TURNS
            values[_slot(key, self._turn[key])] = self._pack(key, self._changed[key], position)
        names = [_slot(key, turn) for key in sorted(self._forgotten) for turn in range(TURNS)]
        dropped = [name for name in names if name in self._stored]
        self._stored = (self._stored | values.keys()).difference(dropped)
        self._changed, self._forgotten = {}, set()
        return values, dropped

    def _pack(self, key: Key, through: int, position: int) -> bytes:
        head = {"position": position, "version": key[0], "segment": as_object(key[1]), "through": through}
        return orjson.dumps(head | {"evidence": _packed(self._of[key].state())})


def _slot(key: Key, turn: int) -> str:
    return f"{PREFIX}{identifier(key[0], as_object(key[1]))}/{turn}"


def _packed(state: dict[str, Any]) -> str:
    """Compressed: there are some hundred numbers a feature, most of them 0."""
    return b64encode(zlib.compress(orjson.dumps(state), 1)).decode()


def _unpacked(packed: str) -> dict[str, Any]:
    state: dict[str, Any] = orjson.loads(zlib.decompress(b64decode(packed)))
    return state

"""The join's store: one RocksDB for each partition, with the offsets that it has come to in the same write.

Entries lie in generations, each a column family for half a horizon of event time. An old generation is dropped whole:
nothing is searched for, no tombstone is written, and the disk is free at once. (RocksDB's own TTL is of no use here: as
rocksdict opens it, a compaction drops entries that are seconds old.)
"""

import logging
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import orjson
from rocksdict import Rdict, WriteBatch

from app.joining.layouts import Layouts
from app.joining.told import SIDES
from app.sources.marks import later
from streams.rocks import Damaged, beginning_with, damage_told, families, options

log = logging.getLogger(__name__)

WRITE_BUFFER_BYTES = 32 * 1024 * 1024
FORMAT = b"4"
# Before, predictions were kept as JSON only, which is read as well.
READ_FORMATS = (b"3", FORMAT)
LAYOUT = b"layout:"
UNFINISHED = b"unfinished"
OWNERS = b"owners"
# Half a horizon each: an entry is kept for one horizon at least, and for one and a half at most.
GENERATIONS_A_HORIZON = 2
MOST_GENERATIONS = 12


class StoreLocked(RuntimeError):
    """Another process has the store open and did not let go of it in time."""


class UnknownFormat(RuntimeError):
    """The store was written by a version that keeps it in another form."""


class JoinStore:
    """Entries by prediction id, and next offsets by topic. What was put can be read after `write`, all at once."""

    def __init__(
        self, path: Path, horizon_s: float, patience_s: float = 30.0, buffer_bytes: int = WRITE_BUFFER_BYTES
    ) -> None:
        """`buffer_bytes`: what is held in memory before it becomes a table on the disk."""
        path.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._generation_ms = max(round(horizon_s * 1000) // GENERATIONS_A_HORIZON, 1)
        self._options = options(buffer_bytes)
        self._db = self._open(path, patience_s)
        self._generations = {int(name): self._db.get_column_family(name) for name in families(path)}
        self._watermarks: dict[str, int] = {}
        """By topic: how far time has come; none for a side of which nothing was read yet."""
        self._pending: list[tuple[bytes, bytes]] = []
        try:
            with damage_told(path):
                self.layouts = self._known_layouts()
                times = {topic: self.watermark(topic) for topic in SIDES}
            self._watermarks |= {topic: time_ms for topic, time_ms in times.items() if time_ms is not None}
        except BaseException:
            self.close()
            raise

    def _open(self, path: Path, patience_s: float) -> Rdict:
        """A partition's former owner on the same machine may still be closing it."""
        deadline = time.monotonic() + patience_s
        while True:
            try:
                with damage_told(path):
                    known = dict.fromkeys(families(path), self._options)
                    return Rdict(str(path), options=self._options, column_families=known)
            except Damaged:
                raise
            except Exception as error:  # rocksdict raises bare Exceptions
                if "lock" not in str(error).lower():
                    raise
                if time.monotonic() > deadline:
                    raise StoreLocked(f"{path} is open in another process: {error}") from error
                time.sleep(0.05)

    def _known_layouts(self) -> Layouts:
        """Raises UnknownFormat."""
        if self._db.get(b"format", FORMAT) not in READ_FORMATS:
            raise UnknownFormat(f"{self._path} is of another version")
        self._db[b"format"] = FORMAT
        return Layouts(beginning_with(LAYOUT, self._db))

    def get(self, ids: Sequence[bytes]) -> list[bytes | None]:
        """The newest entry of each id."""
        found: list[bytes | None] = [None] * len(ids)
        missing = range(len(ids))
        for number in sorted(self._generations, reverse=True):
            with damage_told(self._path):
                given = self._generations[number].get([ids[place] for place in missing])
            for place, entry in zip(missing, given, strict=True):
                found[place] = entry
            missing = [place for place in missing if found[place] is None]  # type: ignore[assignment]
            if not missing:
                break
        return found

    def put(self, entries: Iterable[tuple[bytes, bytes]]) -> None:
        self._pending += entries

    def pending(self) -> list[tuple[bytes, bytes]]:
        """What was put and not written yet."""
        return list(self._pending)

    def next_offset(self, topic: str) -> int | None:
        """The first offset of `topic` that is not in the store yet."""
        place = self._place(topic)
        return None if place is None else place[0]

    def watermark(self, topic: str) -> int | None:
        """How far time had come there, in ms."""
        place = self._place(topic)
        return None if place is None else place[1]

    def reach(self, topic: str) -> int:
        """Nothing in the store came of records at or above this offset."""
        told = self._db.get(b"reach:" + topic.encode())
        return max(self.next_offset(topic) or 0, 0 if told is None else int(told))

    def reach_to(self, topic: str, end: int) -> None:
        """Says that records of `topic` up to `end` may be put, whatever the next offset is."""
        self._db[b"reach:" + topic.encode()] = str(max(end, self.reach(topic))).encode()

    @property
    def owners(self) -> dict[str, int]:
        """Topic -> epoch of the owner that wrote it last (`app/sources/fences.py`)."""
        stored = self._db.get(OWNERS)
        return {} if stored is None else dict(orjson.loads(stored))

    @owners.setter
    def owners(self, epochs: Mapping[str, int]) -> None:
        self._db[OWNERS] = orjson.dumps(dict(epochs))

    @property
    def unfinished(self) -> bool:
        """Whether it is being made anew, and that has not come to its end."""
        return bool(self._db.get(UNFINISHED))

    @unfinished.setter
    def unfinished(self, value: bool) -> None:
        self._db[UNFINISHED] = b"1" if value else b""

    def _place(self, topic: str) -> tuple[int, int | None] | None:
        stored = self._db.get(b"next:" + topic.encode())
        return None if stored is None else tuple(orjson.loads(stored))

    def write(
        self, topic: str, next_offset: int, watermark: int | None, newest: int | None = None, alone: bool = False
    ) -> int:
        """Everything put since the last one, and that `topic` has come to `next_offset` and to `watermark` (ms).

        Returns how many entries, about, it let go of before their horizon, for one side is too far behind the other.

        `newest`: how far time has come in what was put, where that lies beyond the offset. `alone`: the other side has
        nothing to read, so that this one may decide what is old though nothing was ever read of that.
        """
        batch = WriteBatch(raw_mode=True)
        batch.put(b"next:" + topic.encode(), orjson.dumps([next_offset, watermark]))
        self._write(batch, later(watermark, newest))
        if watermark is None:
            return 0
        self._watermarks[topic] = max(watermark, self._watermarks.get(topic, watermark))
        if alone or len(self._watermarks) == len(SIDES):
            self._drop_below(min(self._watermarks.values()) // self._generation_ms - GENERATIONS_A_HORIZON)
        return self._drop_excess()

    def write_changes(self) -> None:
        """Everything put since the last one, which moves no offset."""
        self._write(WriteBatch(raw_mode=True), None)

    def _write(self, batch: WriteBatch, newest: int | None) -> None:
        if self._pending:
            # Never older than what is there: of an id that is in two generations the newer one is read.
            family = self._family(max([(newest or 0) // self._generation_ms, *self._generations]))
            for identity, entry in self._pending:
                batch.put(identity, entry, family)
        for mark, description in self.layouts.unwritten.items():
            batch.put(LAYOUT + mark, description)
        with damage_told(self._path):
            self._db.write(batch)
        self._pending.clear()
        self.layouts.unwritten.clear()

    def _family(self, number: int) -> object:
        if number not in self._generations:
            self._generations[number] = self._db.create_column_family(str(number), self._options)
        return self._db.get_column_family_handle(str(number))

    def _drop_excess(self) -> int:
        """If one side of the join is left so far behind the other, the disk comes first."""
        ordered = sorted(self._generations)
        excess = ordered[:-MOST_GENERATIONS]
        if not excess:
            return 0
        given_up = sum(self._entries(number) for number in excess)
        log.warning(
            "%s: one side of the join is more than %d horizons behind the other. About %d entries are let go of, and "
            "what comes for them meets nothing",
            self._path.name,
            MOST_GENERATIONS // GENERATIONS_A_HORIZON - 1,
            given_up,
        )
        self._drop_below(ordered[-MOST_GENERATIONS])
        return given_up

    def _drop_below(self, oldest: int) -> None:
        for number in [one for one in self._generations if one < oldest]:
            self._generations.pop(number).close()
            self._db.drop_column_family(str(number))

    def _entries(self, number: int) -> int:
        """About how many a generation has: RocksDB counts an id that was put twice as two."""
        return self._generations[number].property_int_value("rocksdb.estimate-num-keys") or 0

    def close(self) -> None:
        for family in self._generations.values():
            family.close()
        self._generations.clear()
        self._db.close()


def open_store(path: Path, horizon_s: float, patience_s: float = 1.0) -> JoinStore:
    """The store of `path`. One that is damaged or of another format is set aside, and an empty one takes its place.

    Raises StoreLocked when another process holds it for `patience_s` longer.
    """
    try:
        return JoinStore(path, horizon_s, patience_s)
    except (Damaged, UnknownFormat) as error:
        set_aside(path, str(error))
        return JoinStore(path, horizon_s, patience_s)


def set_aside(path: Path, why: str) -> None:
    """Puts a store that is closed beside its place, for whoever wants to know what became of it."""
    aside = path.with_name(f"{path.name}.unusable")
    log.warning("The join's store can't be used and is set aside as %s: %s", aside.name, why)
    shutil.rmtree(aside, ignore_errors=True)
    path.rename(aside)

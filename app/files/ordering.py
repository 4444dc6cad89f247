"""Events in the order of their time, however many there are: sorted runs on disk, merged (external merge sort)."""

import heapq
import struct
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import IO

from app.files.rows import Event

# What the events in memory may take; more than that waits in a temporary file.
HELD_BYTES = 128 * 1024 * 1024
# Python's own share of an event besides its bytes: a tuple, two numbers and an object.
OVERHEAD_BYTES = 170
_HEADER = struct.Struct("<qqHHI")  # time, order, and the lengths of topic, key and value

Packed = tuple[int, int, bytes]


def in_time_order(events: Iterable[Event], held_bytes: int = HELD_BYTES) -> Iterator[Event]:
    """All `events`, sorted by time and then by order. The memory is bounded by `held_bytes`, the rest is on disk."""
    with ExitStack() as files:
        runs: list[IO[bytes]] = []
        held: list[Packed] = []
        size = 0
        for event in events:
            held.append(_pack(event))
            size += len(held[-1][2]) + OVERHEAD_BYTES
            if size >= held_bytes:
                runs.append(files.enter_context(tempfile.TemporaryFile(prefix="inferwatch-")))
                _write(held, runs[-1])
                held, size = [], 0
        held.sort()
        yield from map(_unpack, heapq.merge(*map(_read, runs), held))


def _pack(event: Event) -> Packed:
    """The event in one piece of memory of its own: encoders leave much room behind what they return."""
    topic = event.topic.encode()
    lengths = _HEADER.pack(event.time_ms, event.order, len(topic), len(event.key), len(event.value))
    return event.time_ms, event.order, b"".join((lengths, topic, event.key, event.value))


def _unpack(packed: Packed) -> Event:
    time_ms, order, octets = packed
    _, _, topic, key, _ = _HEADER.unpack_from(octets)
    at = _HEADER.size + topic
    return Event(time_ms, order, octets[_HEADER.size : at].decode(), octets[at : at + key], octets[at + key :])


def _write(run: list[Packed], file: IO[bytes]) -> None:
    run.sort()
    file.writelines(octets for _, _, octets in run)
    file.seek(0)


def _read(file: IO[bytes]) -> Iterator[Packed]:
    while header := file.read(_HEADER.size):
        time_ms, order, topic, key, value = _HEADER.unpack(header)
        yield time_ms, order, header + file.read(topic + key + value)

"""The join's store: one RocksDB for each partition, with the offsets that it has come to in the same write."""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from rocksdict import AccessType, BlockBasedOptions, Cache, Options, Rdict, WriteBatch

# Entries outlive the horizon by this much of wall-clock time, in case event time is behind it.
MARGIN_S = 86400
BLOCK_CACHE_BYTES = 64 * 1024 * 1024
FORMAT = b"1"


class StoreLocked(RuntimeError):
    """Another process has the store open and did not let go of it in time."""


class JoinStore:
    """Entries by prediction id, and next offsets by topic. Old entries leave with compaction: nobody looks for them.

    What was put is written, and can be read, all at once with `write`.
    """

    def __init__(self, path: Path, horizon_s: float, patience_s: float = 30.0) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._access = AccessType.with_ttl(int(horizon_s + MARGIN_S))
        self._db = self._open(path, patience_s)
        self._batch = WriteBatch(raw_mode=True)
        self._db.put(b"m:format", FORMAT)

    def _open(self, path: Path, patience_s: float) -> Rdict:
        """A partition's former owner on the same machine may still be closing it."""
        deadline = time.monotonic() + patience_s
        while True:
            try:
                return Rdict(str(path), options=_options(), access_type=self._access)
            except Exception as error:  # rocksdict raises bare Exceptions; only the lock is waited for
                if "lock" not in str(error).lower():
                    raise
                if time.monotonic() > deadline:
                    raise StoreLocked(f"{path} is open in another process: {error}") from error
                time.sleep(0.05)

    def get(self, ids: Sequence[bytes]) -> list[bytes | None]:
        found: list[bytes | None] = self._db.get([b"i:" + identity for identity in ids])
        return found

    def put(self, entries: Iterable[tuple[bytes, bytes]]) -> None:
        for identity, entry in entries:
            self._batch.put(b"i:" + identity, entry)

    def next_offset(self, topic: str) -> int | None:
        """The first offset of `topic` that is not in the store yet."""
        stored = self._db.get(b"o:" + topic.encode())
        return None if stored is None else int(stored)

    def write(self, topic: str, next_offset: int) -> None:
        self._batch.put(b"o:" + topic.encode(), str(next_offset).encode())
        self._db.write(self._batch)
        self._batch = WriteBatch(raw_mode=True)

    def close(self) -> None:
        self._db.close()


def _options() -> Options:
    table = BlockBasedOptions()
    table.set_block_cache(Cache(BLOCK_CACHE_BYTES))
    table.set_bloom_filter(10, False)
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_block_based_table_factory(table)
    options.set_write_buffer_size(64 * 1024 * 1024)
    options.set_max_background_jobs(2)
    options.set_keep_log_file_num(2)
    return options

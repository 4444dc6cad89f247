"""RocksDB as the join's stores use it: how it is opened, and how its damage is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from rocksdict import BlockBasedOptions, Cache, Options, Rdict, WriteBufferManager

# Of all stores of a process together, however many partitions it has.
CACHE_BYTES = 256 * 1024 * 1024
BUFFERED_BYTES = 256 * 1024 * 1024


class Damaged(RuntimeError):
    """What is on the disk can't be opened as a store, or not be read."""


@contextmanager
def damage_told(path: Path) -> Iterator[None]:
    """Raises Damaged where a block of the store at `path` can't be read."""
    try:
        yield
    except Exception as error:  # rocksdict raises bare Exceptions
        if "corruption" in str(error).lower():
            raise Damaged(f"{path}: {error}") from error
        raise


def beginning_with(prefix: bytes, db: Rdict) -> Iterator[bytes]:
    """The values of all keys with this prefix."""
    for key, value in db.items(from_key=prefix):
        if not key.startswith(prefix):
            return
        yield value


def families(path: Path) -> list[str]:
    """The generations that are on disk."""
    if not (path / "CURRENT").exists():
        return []
    return [name for name in Rdict.list_cf(str(path)) if name != "default"]


@cache
def _cache() -> Cache:
    return Cache(CACHE_BYTES)


@cache
def buffers() -> WriteBufferManager:
    """What all stores of this process hold in memory before it becomes tables."""
    return WriteBufferManager(BUFFERED_BYTES, allow_stall=False)


def options(buffer_bytes: int) -> Options:
    """`buffer_bytes`: what is held in memory before it becomes a table on the disk."""
    table = BlockBasedOptions()
    table.set_block_cache(_cache())
    table.set_bloom_filter(10, False)
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.create_missing_column_families(True)
    options.set_block_based_table_factory(table)
    options.set_write_buffer_size(buffer_bytes)
    options.set_write_buffer_manager(buffers())
    options.set_max_background_jobs(2)
    options.set_keep_log_file_num(2)
    return options

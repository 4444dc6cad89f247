"""The join's stores of a worker that has run for long, and how much disk they take."""

import numpy as np

from app.decoding.chunks import RawChunk
from app.decoding.decode import decode_predictions
from app.joining.entries import Entry, encode_entry
from app.joining.packed import pack
from app.settings import Settings
from app.sources.partitioning import partitions_of
from bench import traffic
from bench.kafka import PARTITIONS
from streams.joins import JoinStore
from streams.stores import store_path

AT_ONCE = 10_000


def fill_stores(settings: Settings, rows: int, start_ms: int) -> None:
    """Puts `rows` predictions that wait for labels which never come into the stores of all partitions."""
    paths = [store_path(settings, number) for number in range(PARTITIONS)]
    stores = [JoinStore(path, settings.labels.horizon_s) for path in paths]
    (made,) = traffic.slices(AT_ONCE, start_ms)
    values = [record.value for record in traffic.single(made)]
    decoded = decode_predictions(RawChunk(np.arange(AT_ONCE), np.full(AT_ONCE, -1), [None] * AT_ONCE, values), settings)
    packed = [pack(decoded.runs[0].columns, store.layouts) or [] for store in stores]
    # As far apart as ids are that somebody drew at random: neighbours in the store come from everywhere.
    ids = np.random.default_rng(1).permutation(rows)
    for first in range(0, rows, AT_ONCE):
        keys = [b"w-%010d" % number for number in ids[first : first + AT_ONCE].tolist()]
        for row, (place, key) in enumerate(zip(partitions_of(keys, PARTITIONS).tolist(), keys, strict=True)):
            stores[place].put([(key, encode_entry(Entry(first << 24, start_ms, start_ms, packed[place][row])))])
        for store in stores:
            store.write("predictions", 0, start_ms)
    for store in stores:
        # What a service has compacted long ago is no part of what a pair costs now.
        for family in store._generations.values():
            family.compact_range(None, None)
        store.close()


def disk_mb(settings: Settings) -> float:
    """What the stores take on the disk."""
    return sum(file.stat().st_size for file in (settings.data_dir / "joins").rglob("*") if file.is_file()) / 1e6

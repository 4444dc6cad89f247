"""What stores take of memory is bounded for all of them together."""

import os
from pathlib import Path

from streams.joins import WRITE_BUFFER_BYTES, JoinStore
from streams.rocks import BUFFERED_BYTES, buffers

NOW = 1_795_176_000_000
HOUR_MS = 3_600_000


def test_many_stores_hold_no_more_than_one_may(tmp_path: Path) -> None:
    """Each of these has generations enough to fill all the memory that there is for it."""
    bound = BUFFERED_BYTES // 8
    buffers().set_buffer_size(bound)
    try:
        before = buffers().get_usage()
        stores = [JoinStore(tmp_path / str(number), 7200.0) for number in range(6)]
        held = 0
        for batch in range(40):
            for store in stores:
                store.put([(os.urandom(16), os.urandom(1000)) for _ in range(500)])
                store.write("predictions", batch, NOW + batch // 10 * HOUR_MS)
            held = max(held, buffers().get_usage())
        written = 40 * 500 * 1000 * len(stores)
        assert written > 2 * bound
        assert before < held < 1.5 * bound < 6 * WRITE_BUFFER_BYTES
        for store in stores:
            store.close()
    finally:
        buffers().set_buffer_size(BUFFERED_BYTES)

"""The memory of a process that works on chunks: they come and go by the thousand objects and by the megabyte."""

import ctypes
import gc
from contextlib import suppress

# Allocations before the garbage collector looks at the young generation.
YOUNG_GENERATION = 500_000
# Of glibc's malloc.h: the largest free end of the heap that it keeps, by how much the heap grows, and the smallest
# block that it maps by itself.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
KEPT = {M_TRIM_THRESHOLD: 512 << 20, M_TOP_PAD: 32 << 20, M_MMAP_THRESHOLD: 32 << 20}


def tune_memory() -> None:
    """What is there now stays; of what comes with a chunk nearly all goes with it, and the next one takes its place."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_GENERATION)
    _keep_freed()


def _keep_freed() -> None:
    """What glibc gives back between two chunks the system has to clear, page by page, for the next one."""
    with suppress(AttributeError):  # another C library
        mallopt = ctypes.CDLL(None).mallopt
        for option, size in KEPT.items():
            mallopt(option, size)

"""Python's garbage collector in a process that works on chunks: they come and go by the thousand objects."""

import gc

# Allocations before the garbage collector looks at the young generation.
YOUNG_GENERATION = 500_000


def tune_collector() -> None:
    """What is there now stays; of what comes with a chunk nearly all goes with it, and the next one takes its place."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_GENERATION)

"""Chunks that were fetched and wait for their agent."""

from typing import Any

from mode.utils.queues import ThrowableQueue

# Of a topic, before its partitions are read no further, each with one chunk more at the most; and when they are again.
MANY_CHUNKS = 6
FEW_CHUNKS = 3


class ChunkQueue(ThrowableQueue):
    """One that is never full.

    Faust waits for room before it hands on anything else. The agent may wait as well, for the other side of the join
    (`streams/balance.py`), which is behind what has no room: nothing would move until it gives up.
    """

    pressure_high_size = MANY_CHUNKS
    pressure_drop_size = FEW_CHUNKS

    def __init__(self, flow_control: Any, maxsize: int = 0, *, clear_on_resume: bool = False) -> None:
        """The arguments of `faust.App.FlowControlQueue`, for which it stands."""
        super().__init__(maxsize=0, flow_control=flow_control, clear_on_resume=clear_on_resume)

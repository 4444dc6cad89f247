"""Whether a worker is ready: its partitions are assigned, its baselines loaded, and it has caught up."""

from collections.abc import Sequence
from dataclasses import dataclass

from streams.snapshot import PartitionState

# So long may the commits of a partition stand still while more and more waits behind them.
STALL_S = 60.0
# Commits go by whole blocks: up to so many of them wait in a healthy partition.
HEALTHY_BLOCKS = 2


@dataclass(slots=True)
class _Followed:
    """`caught_up`: it was within a block of its end once. `since_s`, `waiting`: when its commit last moved."""

    committed: int
    since_s: float
    waiting: int
    caught_up: bool = False


class Readiness:
    """`block_records`: how near its end a partition counts as caught up. Time is monotonic seconds."""

    def __init__(self, block_records: int) -> None:
        self.block_records = block_records
        self._followed: dict[tuple[str, int], _Followed] = {}

    def reasons(
        self, partitions: Sequence[PartitionState], *, rebalancing: bool, baselines: bool, now_s: float
    ) -> tuple[str, ...]:
        """Why the worker is not ready, a sentence each; none when it is.

        `partitions`: all that are assigned. `baselines`: whether they are loaded.
        """
        self._follow(partitions, now_s)
        found = [] if baselines else ["the baselines are not loaded yet"]
        if rebalancing:
            found.append("partitions are being assigned")
        elif not partitions:
            found.append("no partitions are assigned to this worker")
        else:
            found += [reason for state in partitions if (reason := self._reason(state, now_s)) is not None]
        return tuple(found)

    def _follow(self, partitions: Sequence[PartitionState], now_s: float) -> None:
        """A partition that left and came back begins anew: somebody else had it."""
        before, self._followed = self._followed, {}
        for state in partitions:
            known = before.get((state.topic, state.partition))
            waiting = 0 if state.end is None else state.end - state.committed
            if known is None or known.committed != state.committed:
                caught_up = known is not None and known.caught_up
                known = _Followed(state.committed, now_s, waiting, caught_up)
            known.caught_up = known.caught_up or (state.lag is not None and state.lag < self.block_records)
            self._followed[state.topic, state.partition] = known

    def _reason(self, state: PartitionState, now_s: float) -> str | None:
        known = self._followed[state.topic, state.partition]
        if not known.caught_up:
            if state.lag is None:
                return f"the end of {state.name} is not known yet"
            return f"{state.name} is {state.lag} records behind"
        waiting = 0 if state.end is None else state.end - state.committed
        still_s = now_s - known.since_s
        if still_s > STALL_S and waiting > known.waiting and waiting > HEALTHY_BLOCKS * self.block_records:
            return f"{state.name} has committed nothing for {still_s:.0f} s, and {waiting} records wait"
        return None

"""Records that are sent on to another partition: not counted where they lie, but time passed there with them."""

from dataclasses import dataclass, field

import numpy as np

from app.decoding.columns import Ints
from app.sources.watermarks import earlier_maximum


def _none() -> Ints:
    return np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Passed:
    """(m,) rows of records that were sent on, in offset order: their records' offsets, and their times in ms."""

    offsets: Ints = field(default_factory=_none)
    times: Ints = field(default_factory=_none)

    def upto(self, offset: int) -> Ints:
        """The times of the rows up to the record at `offset`, that one too."""
        return self.times[: np.searchsorted(self.offsets, offset, side="right")]

    def earlier(self, times: Ints, offsets: Ints, watermark: int | None) -> Ints:
        """As `earlier_maximum` of the rows that stay, (n,): the rows that were sent on count as earlier times too."""
        before = earlier_maximum(times, offsets, watermark)
        if not len(self.offsets):
            return before
        running = np.maximum.accumulate(np.concatenate(([np.iinfo(np.int64).min], self.times)))
        return np.maximum(before, running[np.searchsorted(self.offsets, offsets, side="left")])

"""What is usual: reference counts of streams that grow while nothing speaks against them, and how much they vary.

Rows of real traffic are not independent: they come in bursts, and days have a course. Two measures of that are taken
while the reference is learned. Between windows next to each other, the *design effect*: by how much their shares
differ more than independent rows would (Kish, Survey Sampling, 1965, 8.2); counts are divided by it. Over longer
blocks, the *wander*: by how much more their shares vary around the reference than chance explains.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import Floats

DAY_MS = 86_400_000
# Longer than a week of learning, a slow change would become usual.
LEARN_MS = 7 * DAY_MS
# The design effect begins as one that so many windows have shown to be 1.
PRIOR_WINDOWS = 10.0
# One step, of a change that is not known yet, must not make all rows look like bursts.
LARGEST = 9.0
# Windows a block: of one by itself, whose tails are heavier than its design effect says; for windows of a minute up to
# four hours.
BLOCKS = (1, 4, 16, 64, 256)
# Standard errors that the sum of squares must be beyond chance for the rest to be believed.
CHANCE = 2.0

Spread = Callable[[Floats, Floats, Floats], tuple[Floats, Floats]]
"""(F, B) counts of a block, (F, B) reference shares, (F,) rows, all effective -> (F,) the squared distance less what
chance adds on average, and (F,) the variance of that by chance."""


class Learned:
    """Reference counts `known` (F, B) of F streams. `state`: as `state()` gave it.

    `began`: start (ms) of the first window, None
    before it; `span_ms`: from there to the end of the newest one that was learned from.
    """

    def __init__(self, streams: int, bins: int, state: Mapping[str, Any] | None = None) -> None:
        self._shape = (streams, bins)
        self.began: int | None = None
        self.span_ms = 0
        self.known: Floats = np.zeros(self._shape)
        # What a block says counts when the next one is over and nothing has come to speak against it.
        self._waiting: Floats = np.zeros((3, len(BLOCKS), streams))
        # Blocks at whose end something speaks against it.
        self._held: Floats = np.zeros((3, len(BLOCKS), streams))
        # For each length of blocks: squared distances beyond chance, their variance by chance, how many.
        self._wander: Floats = np.zeros((3, len(BLOCKS), streams))
        # What a baseline says of the wander.
        self.floor: Floats = np.zeros(streams)
        self._excess: Floats = np.zeros((2, streams))
        self._pending: Floats = np.zeros(self._shape)
        self._before: Floats = np.zeros(self._shape)
        self._blocks: Floats = np.zeros((len(BLOCKS), *self._shape))
        self._filled = [0] * len(BLOCKS)
        self._windows = 0
        if state:
            self._load(state)

    @property
    def rows(self) -> Floats:
        rows: Floats = self.known.sum(axis=1)
        return rows

    @property
    def learning(self) -> bool:
        return self.span_ms < LEARN_MS

    @property
    def design_effect(self) -> Floats:
        """(F,) at least 1."""
        excess, times = self._excess
        effect: Floats = np.maximum((excess + PRIOR_WINDOWS) / (times + PRIOR_WINDOWS), 1.0)
        return effect

    @property
    def wander(self) -> Floats:
        """(F,) the standard deviation of blocks around the reference, beyond what chance makes of independent rows."""
        squares, variance, times = self._wander
        sure = np.maximum(squares - CHANCE * np.sqrt(variance), 0.0) / np.maximum(times, 1.0)
        few = 1 + 1 / np.sqrt(np.maximum(times, 1.0))
        deviation: Floats = np.maximum((np.sqrt(sure) * few).max(axis=0), self.floor)
        return deviation

    @property
    def windows(self) -> int:
        """How many were learned from."""
        return self._windows

    def shares(self, smoothing: float = 0.0) -> Floats:
        """(F, B) of the reference; 0 without rows."""
        counts = self.known + smoothing
        shares: Floats = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-9)
        return shares

    def learn(self, counts: Floats, accepted: NDArray[np.bool_], span: tuple[int, int], spread: Spread) -> None:
        """Takes in a window [start, end) in ms. What is not `accepted` (F,) waits until its stream is again."""
        if not self.learning:
            return
        self.began = span[0] if self.began is None else self.began
        self.span_ms = max(self.span_ms, span[1] - self.began)
        self._windows += 1
        self._pending += counts
        self._compare(counts, accepted)
        self.known[accepted] += self._pending[accepted]
        self._pending[accepted] = 0.0
        self._block(counts, accepted, spread)

    def settle(self, streams: NDArray[np.bool_], usual: bool) -> None:
        """What waits of these streams is learned if it was `usual`, else forgotten."""
        if usual:
            self.known[streams] += self._pending[streams]
            self._wander[:, :, streams] += self._held[:, :, streams] + self._waiting[:, :, streams]
        self._pending[streams] = 0.0
        self._before[streams] = 0.0
        self._blocks[:, streams] = 0.0
        self._waiting[:, :, streams] = 0.0
        self._held[:, :, streams] = 0.0

    def seed(self, streams: NDArray[np.bool_], counts: Floats) -> None:
        """Begins these streams with counts (F, B) from elsewhere, a baseline."""
        self.known[streams] = counts[streams]

    def _compare(self, counts: Floats, accepted: NDArray[np.bool_]) -> None:
        """Adds how far this window is from the one before, in variances of independent rows."""
        rows, before = counts.sum(axis=1), self._before.sum(axis=1)
        whole = self.known + counts + self._before
        expected = whole / np.maximum(whole.sum(axis=1, keepdims=True), 1e-9)
        both = accepted & (rows > 0) & (before > 0) & ((expected > 0).sum(axis=1) > 1)
        if both.any():
            own, last = counts[both], self._before[both]
            moved = own / rows[both, None] - last / before[both, None]
            expected = expected[both]
            scale = (1 / rows[both] + 1 / before[both])[:, None]
            squares = np.divide(moved**2, expected * scale, out=np.zeros_like(moved), where=expected > 0)
            times = squares.sum(axis=1) / ((expected > 0).sum(axis=1) - 1)
            self._excess[0, both] += np.minimum(times, LARGEST * self.design_effect[both])
            self._excess[1, both] += 1
            self._excess[0] = short(self._excess[0])
        has = rows > 0
        self._before[has] = np.where(accepted[has, None], counts[has], 0.0)

    def _block(self, counts: Floats, accepted: NDArray[np.bool_], spread: Spread) -> None:
        for place, length in enumerate(BLOCKS):
            self._blocks[place] += counts
            self._filled[place] += 1
            if self._filled[place] >= length:
                block = self._blocks[place]
                rows = block.sum(axis=1)
                effect = self.design_effect
                squares, variance = spread(block / effect[:, None], self.shares(), np.maximum(rows / effect, 1e-9))
                self._held[:, place] += self._waiting[:, place]
                self._wander[:, place, accepted] += self._held[:, place, accepted]
                self._held[:, place, accepted] = 0.0
                told = np.stack([squares, variance, np.ones(len(rows))])
                self._waiting[:, place] = np.where(rows > 0, short(told), 0.0)
                for sums in (self._wander, self._held):
                    sums[:, place] = short(sums[:, place])
                self._blocks[place], self._filled[place] = 0.0, 0

    def widened(self, streams: int) -> None:
        """Room for more streams, after those that are there."""
        more = streams - self._shape[0]
        self._shape = (streams, self._shape[1])
        empty = np.zeros((more, self._shape[1]))
        self.known, self._pending, self._before = (
            np.vstack([own, empty]) for own in (self.known, self._pending, self._before)
        )
        self.floor = np.append(self.floor, np.zeros(more))
        none = np.zeros((3, len(BLOCKS), more))
        self._wander, self._waiting, self._held = (
            np.concatenate([own, none], axis=2) for own in (self._wander, self._waiting, self._held)
        )
        self._excess = np.hstack([self._excess, np.zeros((2, more))])
        self._blocks = np.concatenate([self._blocks, np.zeros((len(BLOCKS), more, self._shape[1]))], axis=1)

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = {
            "began": self.began,
            "span": self.span_ms,
            "known": self.known.tolist(),
            "wander": self._wander.tolist(),
            "windows": self._windows,
            "floor": self.floor.tolist(),
            "excess": self._excess.tolist(),
        }
        if self.learning:
            state |= {
                "pending": self._pending.tolist(),
                "before": self._before.tolist(),
                "blocks": self._blocks.tolist(),
                "filled": self._filled,
                "waiting": self._waiting.tolist(),
                "held": self._held.tolist(),
            }
        return state

    def _load(self, state: Mapping[str, Any]) -> None:
        self.began, self.span_ms = state["began"], state["span"]
        self.known = np.array(state["known"], np.float64).reshape(self._shape)
        self._excess = np.array(state["excess"], np.float64).reshape(self._excess.shape)
        self._wander = np.array(state["wander"], np.float64).reshape(self._wander.shape)
        self._windows = state["windows"]
        self.floor = np.array(state.get("floor", self.floor), np.float64)
        if "pending" in state:
            self._pending = np.array(state["pending"], np.float64).reshape(self._shape)
            self._before = np.array(state["before"], np.float64).reshape(self._shape)
            self._blocks = np.array(state["blocks"], np.float64).reshape(self._blocks.shape)
            self._filled = list(state["filled"])
            self._waiting = np.array(state["waiting"], np.float64).reshape(self._wander.shape)
            self._held = np.array(state["held"], np.float64).reshape(self._wander.shape)


def short(values: Floats, digits: int = 6) -> Floats:
    """Rounded to significant digits: more say nothing, and take twice the room where they are stored."""
    scale = 10.0 ** (digits - 1 - np.floor(np.log10(np.maximum(np.abs(values), 1e-30))))
    rounded: Floats = np.round(values * scale) / scale
    return rounded

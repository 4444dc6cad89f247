"""Simulated counts of many streams, window after window: independent, bursty, wandering, with a course of the day."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from app.decoding.columns import Floats

WINDOW_MS = 1_800_000


@dataclass(frozen=True)
class World:
    """`streams` shares of `share` with about `rows` rows a window.

    `wander`: standard deviation of their log-odds, an AR(1) process with a memory of `memory` windows. `wave`:
    amplitude of a course of the day. `change`: from this window on the first stream's share is `after`.
    """

    streams: int = 1
    rows: float = 200.0
    share: float = 0.1
    wander: float = 0.0
    memory: float = 4.0
    wave: float = 0.0
    change: int | None = None
    after: float = 0.2

    def windows(self, seed: int, length: int) -> Iterator[dict[str, tuple[float, float]]]:
        """(hits, rows) by stream."""
        rng = np.random.default_rng(seed)
        keep = float(np.exp(-1 / self.memory))
        value: Floats = rng.normal(0, self.wander, self.streams)
        phase = rng.uniform(0, 2 * np.pi, self.streams)
        for window in range(length):
            value = keep * value + rng.normal(0, self.wander * np.sqrt(1 - keep**2), self.streams)
            usual = np.full(self.streams, self.share)
            if self.change is not None and window >= self.change:
                usual[0] = self.after
            day = 2 * np.pi * window * WINDOW_MS / 86_400_000
            shares = expit(logit(usual) + value + self.wave * np.sin(day + phase))
            rows = rng.poisson(self.rows, self.streams)
            hits = rng.binomial(rows, shares)
            yield {f"x{n}": (float(k), float(m)) for n, (k, m) in enumerate(zip(hits, rows, strict=True))}

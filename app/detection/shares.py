"""Shares of rows that should not rise: what is usual of each, and the evidence that it is more now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import Floats
from app.detection.betting import ODDS, log_bets, upper
from app.detection.edetector import FRESH, advance, log_mean
from app.detection.learned import Learned

# How many standard deviations of what wanders by itself are no news.
USUAL = 4.0
# ... up to so much of the logarithm of the odds.
FARTHEST = 3.0
# While few windows have shown how much the shares wander: tolerances are 1 + 16 / windows times as wide, at most five.
FEW_WINDOWS = 16.0
WIDEST = 5.0
# ... and by two fifths of the share itself for the first windows, by less from the eighth on.
FIRST = 0.4
FIRST_WINDOWS = 8.0


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far above the usual share p a share may be: the largest of `points`, `times` x p and `rest` x (1 - p).

    `ready`: rows that a reference needs. `at_first`: the bound until there is one, None: nothing is judged.
    """

    points: float
    times: float = 0.0
    rest: float = 0.0
    ready: int = 200
    at_first: float | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a window says of the streams `names`; arrays are (F,). `rows`: effective ones, in this window.

    `log_m`: evidence since whenever, as a natural logarithm. `log_e`: this window's. `usual`: NaN without a reference.
    """

    names: Sequence[str]
    share: Floats
    usual: Floats
    bound: Floats
    rows: Floats
    log_e: Floats
    log_m: Floats

    def of(self, streams: Sequence[int]) -> "Found":
        """These streams alone."""
        places = list(streams)
        arrays = (self.share, self.usual, self.bound, self.rows, self.log_e, self.log_m)
        return Found([self.names[place] for place in places], *(array[places] for array in arrays))


class Shares:
    """Streams by name, of one version and segment. `state`: as `state()` gave it."""

    def __init__(self, state: Mapping[str, Any] | None = None) -> None:
        state = state or {"names": [], "log_m": [], "learned": None}
        self.names: list[str] = list(state["names"])
        self.learned = Learned(len(self.names), 2, state["learned"])
        self._log_m: Floats = np.array(state["log_m"], np.float64).reshape(len(self.names), len(ODDS))
        self._places = {name: place for place, name in enumerate(self.names)}

    def state(self) -> dict[str, Any]:
        return {"names": self.names, "log_m": self._log_m.tolist(), "learned": self.learned.state()}

    def known(self, name: str) -> bool:
        """Whether the stream has been seen, or seeded."""
        return name in self._places

    def seed(self, name: str, hits: float, rows: float) -> None:
        """Begins a stream anew with a reference from elsewhere."""
        place = self._place([name])
        counts = np.zeros((len(self.names), 2))
        counts[place] = [rows - hits, hits]
        chosen = np.zeros(len(self.names), np.bool_)
        chosen[place] = True
        self.learned.seed(chosen, counts)
        self._log_m[place] = FRESH

    def follow(self, whole: "Shares") -> None:
        """A part of the traffic wanders at least as all of it does, which is known more precisely."""
        own = [name for name in self.names if name in whole._places]
        there = [whole._places[name] for name in own]
        self.learned.floor[[self._places[name] for name in own]] = whole.learned.wander[there]

    def expect(self, name: str, wander: float) -> None:
        """A stream is known to wander at least so much, as a standard deviation of its share."""
        own = self._place([name])  # which makes room for a new one first
        self.learned.floor[own] = wander

    def read(
        self,
        hits: Mapping[str, tuple[float, float]],
        tolerances: Mapping[str, Tolerance],
        paused: frozenset[str],
    ) -> Found:
        """Takes in a window: name -> (hits, rows). Streams that are `paused` gather no evidence.

        The bound is that of before this window. `tolerances`: of each name.
        """
        names = list(hits)
        own = self._place(names)
        k, n = (np.array([hits[name][side] for name in names], np.float64) for side in (0, 1))
        usual, bound, effect = self._bounds([tolerances[name] for name in names], own)
        k, n = k / effect, n / effect
        judged = np.isfinite(bound)
        bets = np.where(judged[:, None], log_bets(k, n, np.where(judged, bound, 0.5)), 0.0)
        runs = judged & np.array([name not in paused for name in names], np.bool_)
        self._log_m[own[runs]] = advance(self._log_m[own[runs]], bets[runs])
        share = np.divide(k, n, out=np.full(len(names), np.nan), where=n > 0)
        log_m = log_mean(self._log_m[own]) if names else np.zeros(0)
        return Found(names, share, usual, bound, n, log_mean(bets) if names else np.zeros(0), log_m)

    def learn(self, hits: Mapping[str, tuple[float, float]], accepted: NDArray[np.bool_], start: int, end: int) -> None:
        """The same window as part of what is usual, where `accepted` (by place in `hits`) says so."""
        own = self._place(list(hits))
        counts, whole = np.zeros((len(self.names), 2)), np.zeros(len(self.names), np.bool_)
        counts[own] = np.array([[rows - k, k] for k, rows in hits.values()]).reshape(-1, 2)
        whole[own] = accepted
        self.learned.learn(counts, whole, (start, end), spread_of_hits)

    def restart(self, names: Sequence[str], usual: bool = False) -> None:
        """These streams' detectors begin anew. `usual`: what has waited to be learned was no change that lasts."""
        places = [self._places[name] for name in names if name in self._places]
        self._log_m[places] = FRESH
        chosen = np.zeros(len(self.names), np.bool_)
        chosen[places] = True
        self.learned.settle(chosen, usual)

    def _bounds(self, tolerances: Sequence[Tolerance], own: NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
        learned = self.learned
        known, effect, wander = learned.known[own], learned.design_effect[own], learned.wander[own]
        rows, k = known.sum(axis=1), known[:, 1]
        usual = np.divide(k, rows, out=np.full(len(own), np.nan), where=rows > 0)
        points, times, rest, ready, first = (
            np.array(
                [
                    (t.points, t.times, t.rest, t.ready, np.nan if t.at_first is None else t.at_first)
                    for t in tolerances
                ],
                np.float64,
            )
            .reshape(-1, 5)
            .T
        )
        wide = min(1 + FEW_WINDOWS / max(learned.windows, 1), WIDEST)
        unknown = FIRST * min(FIRST_WINDOWS / max(learned.windows, 1), 1.0)
        allowed = wide * np.maximum(points, times * usual) + unknown * usual
        allowed = np.maximum(allowed, rest * (1 - usual))
        bound = np.maximum(np.maximum(usual + allowed, upper(k / effect, rows / effect)), _wandered(usual, wander))
        return usual, np.where(rows >= ready, bound, first), effect

    def _place(self, names: Sequence[str]) -> NDArray[np.int64]:
        new = [name for name in names if name not in self._places]
        if new:
            self._places |= {name: len(self.names) + place for place, name in enumerate(new)}
            self.names += new
            self.learned.widened(len(self.names))
            self._log_m = np.vstack([self._log_m, np.full((len(new), len(ODDS)), FRESH)])
        return np.array([self._places[name] for name in names], np.int64)


def _wandered(usual: Floats, wander: Floats) -> Floats:
    """How far a share may go by itself: in log-odds, since one near 0 goes further up than down."""
    spread = np.maximum(usual * (1 - usual), 1e-9)
    odds = usual / np.maximum(1 - usual, 1e-9) * np.exp(np.minimum(USUAL * wander / spread, FARTHEST))
    reached: Floats = np.where(usual > 0, odds / (1 + odds), USUAL * wander)
    return reached


def spread_of_hits(counts: Floats, reference: Floats, rows: Floats) -> tuple[Floats, Floats]:
    """Of the share of hits: squared distance beyond chance, and its variance (of a binomial)."""
    p = reference[:, 1]
    own = p * (1 - p)
    squares = (counts[:, 1] / rows - p) ** 2 - own / rows
    return squares, 2 * (own / rows) ** 2 + own * np.maximum(1 - 6 * own, 0) / rows**3

"""Counts in the bins of a reference: what is usual of each feature, and the evidence that it has moved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import Floats, Ints
from app.detection.edetector import FRESH, advance, log_mean
from app.detection.learned import Learned, short
from app.detection.multinomial import (
    ALTERNATIVES,
    alternatives,
    expected_distance,
    log_mixture,
    log_ratios,
    stakes,
    total_variation,
)

# A change that moves fewer of the rows into other bins is none that matters.
TOLERANCE = 0.02
# A reference of m rows is itself as far from the truth as m rows scatter, at times twice as far.
UNCERTAIN = 1.6
USUAL = 4.0
FEW_WINDOWS = 16.0
WIDEST = 5.0
SMOOTHING = 0.5
# The evidence is worked out anew when the reference has grown by this factor.
GROWN = 1.2
# ... or the tolerance has changed by this share of it.
CLEARLY = 0.1


@dataclass(frozen=True, slots=True)
class Counted:
    """Rows of F features in their bins, one feature after another, from `starts` on.

    `ordered`: whether a feature's bins are a scale. `reference`: the counts of the baseline `baseline_id`.
    """

    baseline_id: str
    names: Sequence[str]
    starts: Ints
    ordered: NDArray[np.bool_]
    counts: Ints
    reference: Ints


@dataclass(frozen=True, slots=True)
class Moved:
    """What a window says of the features `names`; arrays are (F,).

    `distance`: share of rows in other bins than in the reference. `log_m`, `log_e`: as in `Found`.
    """

    names: Sequence[str]
    distance: Floats
    tolerance: Floats
    rows: Floats
    log_e: Floats
    log_m: Floats

    def of(self, features: Sequence[int]) -> "Moved":
        """These features alone."""
        places = list(features)
        arrays = (self.distance, self.tolerance, self.rows, self.log_e, self.log_m)
        return Moved([self.names[place] for place in places], *(array[places] for array in arrays))


class Bins:
    """The features of one version, against one baseline. `state`: as `state()` gave it."""

    def __init__(self, counted: Counted, state: Mapping[str, Any] | None = None) -> None:
        self.baseline_id = counted.baseline_id
        self.names = list(counted.names)
        lengths = np.diff(counted.starts, append=len(counted.reference))
        self._width = int(lengths.max(initial=1))
        columns = np.arange(self._width)[None, :]
        self._used = columns < lengths[:, None]
        self._from: Ints = np.where(self._used, counted.starts[:, None] + columns, 0)
        self._ordered = counted.ordered
        self._stakes = stakes(counted.ordered)
        learned = state["learned"] if state else None
        self.learned = Learned(len(self.names), self._width, learned)
        if not state:
            self.learned.seed(np.ones(len(self.names), np.bool_), self._padded(counted.reference))
        shape = (len(self.names), ALTERNATIVES + 1)
        self._log_m: Floats = np.array(state["log_m"]).reshape(shape) if state else np.full(shape, FRESH)
        # Reference shares and tolerance that evidence is held against, and what follows from them.
        against = state["against"] if state else None
        self._against: tuple[Floats, Floats, Floats] | None = None
        if against is not None:
            reference, tolerance, rows = (np.array(own, np.float64) for own in against)
            self._against = (reference, tolerance, rows)
        self._ratios: Floats | None = None

    def state(self) -> dict[str, Any]:
        against = None if self._against is None else [own.tolist() for own in self._against]
        state = {
            "baseline": self.baseline_id,
            "names": self.names,
            "log_m": self._log_m.tolist(),
            "learned": self.learned.state(),
        }
        return state | {"against": against}

    def fits(self, counted: Counted) -> bool:
        """Whether it is of this baseline and its features."""
        return self.baseline_id == counted.baseline_id and self.names == list(counted.names)

    def expect(self, wander: Mapping[str, float]) -> None:
        """Features are known to wander at least so much, as the share of rows in other bins."""
        self.learned.floor[:] = [wander.get(name, 0.0) for name in self.names]

    def read(self, counts: Ints, paused: bool) -> Moved:
        """Takes in a window; the reference is that of before it. `paused`: no evidence is gathered."""
        effect = self.learned.design_effect
        own = self._padded(counts) / effect[:, None]
        rows = own.sum(axis=1)
        reference, tolerance, ratios = self._held_against()
        bets = np.einsum("fb,fab->fa", own, ratios)
        log_e = np.concatenate([bets, log_mixture(own, reference, tolerance)[:, None]], axis=1)
        if not paused:
            self._log_m = advance(self._log_m, log_e)
        shares = own / np.maximum(rows, 1e-9)[:, None]
        distance = np.where(rows > 0, total_variation(shares, reference), 0.0)
        return Moved(self.names, distance, tolerance, rows, *self._means(log_e))

    def _means(self, log_e: Floats) -> tuple[Floats, Floats]:
        return log_mean(log_e, self._stakes), log_mean(self._log_m, self._stakes)

    def learn(self, counts: Ints, accepted: NDArray[np.bool_], start: int, end: int) -> None:
        self.learned.learn(self._padded(counts), accepted, (start, end), spread_of_bins)

    def restart(self, usual: bool = False) -> None:
        """All detectors begin anew. `usual`: what has waited to be learned was no change that lasts."""
        self._log_m[:] = FRESH
        self.learned.settle(np.ones(len(self.names), np.bool_), usual)

    def _padded(self, counts: Ints) -> Floats:
        padded: Floats = np.where(self._used, counts[self._from], 0).astype(np.float64)
        return padded

    def _reference(self) -> Floats:
        smoothed = np.where(self._used, self.learned.known + SMOOTHING, 0.0)
        shares: Floats = smoothed / np.maximum(smoothed.sum(axis=1, keepdims=True), 1e-9)
        return shares

    def _tolerance(self, reference: Floats) -> Floats:
        learned = self.learned
        wide = min(1 + FEW_WINDOWS / max(learned.windows, 1), WIDEST)
        uncertain = UNCERTAIN * expected_distance(reference, learned.rows / learned.design_effect)
        tolerance: Floats = np.maximum(np.maximum(TOLERANCE * wide, uncertain), USUAL * learned.wander)
        return np.minimum(tolerance, 0.9)

    def _held_against(self) -> tuple[Floats, Floats, Floats]:
        """Reference shares, tolerance, ratios. They are renewed where they have clearly changed: that is dear."""
        if self._against is None or self._outdated(*self._against):
            reference = self._reference()
            against = (short(reference), short(self._tolerance(reference)), self.learned.rows)
            self._against, self._ratios = against, None
        reference, tolerance, _ = self._against
        if self._ratios is None:
            found = alternatives(reference, tolerance, self._ordered)
            self._ratios = log_ratios(found, reference, tolerance)
        return reference, tolerance, self._ratios

    def _outdated(self, reference: Floats, tolerance: Floats, rows: Floats) -> bool:
        if (self.learned.rows > GROWN * rows).any():
            return True
        return bool((np.abs(self._tolerance(reference) - tolerance) > CLEARLY * tolerance).any())


def spread_of_bins(counts: Floats, reference: Floats, rows: Floats) -> tuple[Floats, Floats]:
    """The squared total variation beyond chance, and its variance: both of sums of |normal| deviations."""
    distance, chance = total_variation(counts / rows[:, None], reference), expected_distance(reference, rows)
    used = np.maximum((reference > 0).sum(axis=1), 2)
    # Shares add up to 1, so with few bins their deviations go together.
    single = (1 - 2 / np.pi) / 4 * (reference * (1 - reference)).sum(axis=1) / rows * used / (used - 1)
    return distance**2 - chance**2 - single, 4 * chance**2 * single + 2 * single**2

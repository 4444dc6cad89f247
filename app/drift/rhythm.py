"""How much the rows of a reference differ from time to time, beyond chance: what wanders by itself is no news later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from app.decoding.columns import Floats, Ints
from app.detection.bins import spread_of_bins
from app.detection.learned import Learned, Spread, short
from app.detection.shares import spread_of_hits
from app.drift.references import CategoryReference, NumberReference, Reference
from app.week import HOUR_MS, WEEK_HOURS, hour_of_week

# Rows a window, so many windows at most, and at least.
ROWS = 50
MOST, LEAST = 512, 32
# On average over the hours of the week, so that one without rows is so by no accident.
ROWS_AN_HOUR = 10


@dataclass(frozen=True)
class Rhythm:
    """Measured over `windows` equal stretches of the reference's time.

    `design_effect`, `wander`: feature -> by how much neighbouring windows differ more than independent rows would, and
    the standard deviation of longer stretches around the whole, as the share of rows in other bins. `missing`: the
    latter, of the share of missing values. `hours`: rows in each hour of the week from Monday on (UTC), None for a
    reference of less than two weeks.
    """

    windows: int
    design_effect: Mapping[str, float]
    wander: Mapping[str, float]
    missing: Mapping[str, float]
    hours: tuple[int, ...] | None = None

    @classmethod
    def fit(
        cls,
        timestamps: Sequence[int] | None,
        features: Mapping[str, Sequence[Any]],
        references: Mapping[str, Reference],
    ) -> Self | None:
        """Of raw values and their event times in ms; None where there are too few rows, or they have no times."""
        windows = min(len(timestamps or ()) // ROWS, MOST)
        if not timestamps or windows < LEAST or min(timestamps) == max(timestamps):
            return None
        times: Ints = np.array(timestamps, np.int64)
        span = int(times.max() - times.min()) + 1
        window = (times - times.min()) * windows // span
        known = {name: own for name, own in references.items() if isinstance(own, NumberReference | CategoryReference)}
        bins = [_counts(_bins(features[name], own), window, windows) for name, own in known.items() if name in features]
        names = [name for name in known if name in features]
        if not names:
            return None
        width = max(own.shape[1] for own in bins)
        counts = np.stack([_widened(own, width) for own in bins], axis=1)
        missing = np.stack([counts[:, :, :-1].sum(axis=2), counts[:, :, -1]], axis=2)
        own = _learned(np.delete(counts, -1, axis=2), spread_of_bins)
        return cls(
            windows,
            _named(names, own.design_effect),
            _named(names, own.wander),
            _named(names, _learned(missing, spread_of_hits).wander),
            _hours(times) if span >= 2 * WEEK_HOURS * HOUR_MS else None,
        )

    @property
    def quiet_hours(self) -> frozenset[int]:
        """Hours of the week without a row, where there are enough rows to say so."""
        if self.hours is None or sum(self.hours) < ROWS_AN_HOUR * WEEK_HOURS:
            return frozenset()
        return frozenset(hour for hour, rows in enumerate(self.hours) if not rows)

    def record(self) -> dict[str, Any]:
        own = {"windows": self.windows, "design_effect": dict(self.design_effect), "wander": dict(self.wander)}
        return own | {"missing": dict(self.missing), "hours": None if self.hours is None else list(self.hours)}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Raises ValueError or KeyError when it is none."""
        hours = record["hours"]
        if hours is not None and len(hours) != WEEK_HOURS:
            raise ValueError("a week has 168 hours")
        return cls(
            int(record["windows"]),
            _numbers(record["design_effect"]),
            _numbers(record["wander"]),
            _numbers(record["missing"]),
            None if hours is None else tuple(int(rows) for rows in hours),
        )


def _bins(values: Sequence[Any], reference: NumberReference | CategoryReference) -> Ints:
    """(n,) the bin of each value, -1 where it is missing; the unseen and what is of another kind in the last one."""
    last = len(reference.reference()) - 1
    if isinstance(reference, CategoryReference):
        of = reference.bin_of()
        return np.array([-1 if value is None else of.get(value, last) for value in values], np.int64)
    numbers = np.array([value if isinstance(value, int | float) else np.nan for value in values], np.float64)
    found: Ints = np.searchsorted(reference.cuts, numbers, side="right")
    return np.where(np.isnan(numbers), -1, np.minimum(found, last))


def _counts(bins: Ints, window: Ints, windows: int) -> Ints:
    """(windows, B + 1) rows of each bin, and of missing values behind them."""
    width = int(bins.max(initial=0)) + 2
    placed = np.where(bins < 0, width - 1, bins)
    counts: Ints = np.bincount(window * width + placed, minlength=windows * width).reshape(windows, width)
    return counts


def _widened(counts: Ints, width: int) -> Ints:
    """Empty bins before the last column, which stays the last."""
    empty = np.zeros((len(counts), width - counts.shape[1]), np.int64)
    return np.concatenate([counts[:, :-1], empty, counts[:, -1:]], axis=1)


def _learned(counts: Ints, spread: Spread) -> Learned:
    """From counts (windows, F, B): what is usual from the beginning is the whole."""
    streams, width = counts.shape[1:]
    learned, everything = Learned(streams, width), np.ones(streams, np.bool_)
    learned.seed(everything, counts.sum(axis=0).astype(np.float64))
    for number, own in enumerate(counts.astype(np.float64)):
        learned.learn(own, everything, (number, number + 1), spread)
    return learned


def _named(names: Sequence[str], values: Floats) -> dict[str, float]:
    return dict(zip(names, short(values, 4).tolist(), strict=True))


def _numbers(own: Mapping[str, Any]) -> dict[str, float]:
    return {str(name): float(value) for name, value in own.items()}


def _hours(times: Ints) -> tuple[int, ...]:
    return tuple(np.bincount(hour_of_week(times), minlength=WEEK_HOURS).tolist())

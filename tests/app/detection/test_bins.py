"""Counts in bins against a baseline: silent while nothing changes, quick when a distribution moves."""

import json

import numpy as np
import pytest
from scipy.stats import norm

from app.decoding.columns import Floats, Ints
from app.detection.bins import Bins, Counted
from app.detection.budget import Budget
from app.detection.edetector import log_mean

WINDOW_MS = 1_800_000
FEATURES, WIDTH = 20, 13
CUTS = norm.ppf(np.arange(1, 10) / 10)
THRESHOLD = Budget(window_ms=WINDOW_MS).log_threshold(0.05)


def baseline(rows: int, seed: int = 1) -> tuple[Counted, Floats]:
    """Of standard normal numbers by its own deciles, and (F, 9) its cuts."""
    sample = np.random.default_rng(seed).normal(size=(FEATURES, rows))
    cuts = np.quantile(sample, np.arange(1, 10) / 10, axis=1).T
    own = np.zeros((FEATURES, WIDTH), np.int64)
    own[:, 1:11] = rows // 10
    ordered = np.ones(FEATURES, np.bool_)
    return Counted(
        "b", [f"x{n}" for n in range(FEATURES)], np.arange(FEATURES) * WIDTH, ordered, own.ravel(), own.ravel()
    ), cuts


def window(rng: np.random.Generator, cuts: Floats, shift: Floats, rows: float) -> Ints:
    shares = np.diff(norm.cdf(cuts - shift[:, None]), prepend=0, append=1, axis=1)
    counts = np.zeros((FEATURES, WIDTH), np.int64)
    counts[:, 1:11] = rng.multinomial(rng.poisson(rows), shares)
    return counts.ravel()


def first_alarm(
    rows: float, reference: int, windows: int, change: int, shift: float, wander: float = 0.0
) -> int | None:
    rng = np.random.default_rng(7)
    counted, cuts = baseline(reference)
    bins = Bins(counted)
    value = np.zeros(FEATURES)
    for number in range(windows):
        value = 0.8 * value + rng.normal(0, 0.6 * wander, FEATURES)
        moved = value + shift * (number >= change) * (np.arange(FEATURES) == 0)
        counts = window(rng, cuts, moved, rows)
        read = bins.read(counts, paused=False)
        if float(log_mean(read.log_m)) >= THRESHOLD:
            return number
        bins.learn(counts, read.log_m < THRESHOLD / 2, number * WINDOW_MS, (number + 1) * WINDOW_MS)
    return None


@pytest.mark.parametrize(("reference", "wander"), [(1000, 0.0), (20_000, 0.0), (1000, 0.05), (20_000, 0.05)])
@pytest.mark.parametrize("rows", [60.0, 6000.0])
def test_nothing_changes(reference: int, wander: float, rows: float) -> None:
    assert first_alarm(rows, reference, 300, 300, 0.0, wander) is None


@pytest.mark.parametrize(("rows", "change", "within"), [(230.0, 240, 4), (230.0, 20, 8), (2000.0, 240, 1)])
def test_half_a_standard_deviation_of_one_feature(rows: float, change: int, within: int) -> None:
    found = first_alarm(rows, 1000, change + 20, change, 0.5)
    assert found is not None
    assert change <= found < change + within


def test_a_few_rows_in_other_bins_do_not_matter() -> None:
    """A shift of 0.05 standard deviations moves 2 % of the rows: with any number of rows it is no news."""
    assert first_alarm(200_000, 20_000, 200, 50, 0.05) is None


def test_categories_in_a_new_one() -> None:
    """Bins without an order: a tenth of the rows goes to the last bin, where nothing was before."""
    rng = np.random.default_rng(3)
    reference = np.array([500, 300, 200, 0])
    counted = Counted("b", ["region"], np.array([0]), np.array([False]), reference, reference)
    bins, found = Bins(counted), []
    for number in range(60):
        shares = np.array([0.5, 0.3, 0.2, 0.0]) if number < 40 else np.array([0.45, 0.27, 0.18, 0.1])
        counts = rng.multinomial(300, shares)
        read = bins.read(counts, paused=False)
        bins.learn(counts, read.log_m < THRESHOLD / 2, number * WINDOW_MS, (number + 1) * WINDOW_MS)
        found += [number] * bool(read.log_m[0] >= THRESHOLD)
    assert 40 <= found[0] < 45


def test_a_round_trip_of_the_state_changes_nothing() -> None:
    rng = np.random.default_rng(2)
    counted, cuts = baseline(1000)
    one, other = Bins(counted), Bins(counted)
    for number in range(350):
        other = Bins(counted, json.loads(json.dumps(other.state())))
        counts = window(rng, cuts, np.full(FEATURES, 0.002 * number), 200)
        read = [bins.read(counts, paused=False) for bins in (one, other)]
        assert (read[0].log_m == read[1].log_m).all()
        for bins in (one, other):
            bins.learn(counts, np.ones(FEATURES, np.bool_), number * WINDOW_MS, (number + 1) * WINDOW_MS)
    assert one.state() == other.state()

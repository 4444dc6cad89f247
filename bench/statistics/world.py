"""The rates of a simulated stream, window after window: constant, or wandering with a course of the day."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from app.decoding.columns import Floats
from bench.statistics.setup import DAY_S, STILL, USUAL, WANDERING, Change, Setup


@dataclass(frozen=True, slots=True)
class Rates:
    """What holds in one window, for S segments and F features. `shift`: in standard deviations."""

    rows: Floats  # (S,) expected
    accuracy: Floats  # (S,)
    error_rate: float
    missing: Floats  # (S, F)
    shift: Floats  # (S, F)
    relation: float
    latency_ms: float


class Drifting:
    """(size,) values around 0: an AR(1) process of this standard deviation, and a daily wave of this amplitude."""

    def __init__(self, rng: np.random.Generator, size: int, sizes: tuple[float, float], keep: float) -> None:
        self._rng = rng
        self._deviation, amplitude = sizes
        self._keep = keep
        self._value = rng.normal(0.0, self._deviation, size)
        self._wave = amplitude * rng.uniform(0.0, 1.0, size)
        self._phase = rng.uniform(0.0, 2 * np.pi, size)

    def step(self, day: float) -> Floats:
        """The next window's values, at `day` days since the beginning."""
        fresh = self._rng.normal(0.0, self._deviation * np.sqrt(1 - self._keep**2), len(self._value))
        self._value = self._keep * self._value + fresh
        return self._value + self._wave * np.sin(2 * np.pi * day + self._phase)


class World:
    """A stream of windows. The first is number 0; `rates` gives each in turn."""

    def __init__(self, setup: Setup, rng: np.random.Generator) -> None:
        self.setup = setup
        self.rng = rng
        keep = float(np.exp(-setup.window_s / 3600 / WANDERING.hours))
        sizes = {"mix": setup.segments, "segment_accuracy": setup.segments, "missing": setup.features}
        sizes["shift"] = setup.features
        names = ("traffic", "mix", "accuracy", "segment_accuracy", "error_rate", "missing", "shift", "latency")
        self._parts = {
            name: Drifting(rng, sizes.get(name, 1), getattr(WANDERING, name) if setup.wandering else (0.0, 0.0), keep)
            for name in names
        }
        self.window = 0

    def rates(self, change: Change = STILL, since: int = 0) -> Rates:
        """Of the next window. `since`: the window in which `change` began."""
        now = {name: part.step(self.window * self.setup.window_s / DAY_S) for name, part in self._parts.items()}
        part = change.progress(self.window - since)
        self.window += 1
        segments = self.setup.segments
        mix = np.exp(now["mix"])
        accuracy = _moved(USUAL.accuracy, change.accuracy, part, segments, change.segment)
        missing = np.tile(expit(logit(USUAL.missing) + now["missing"]), (segments, 1))
        shift = np.tile(now["shift"], (segments, 1))
        if change.missing is not None:
            missing[:, 0] = _between(USUAL.missing, change.missing, part)
        shift[:, 0] += part * change.shift
        return Rates(
            rows=self.setup.rows * np.exp(now["traffic"][0]) * mix / mix.sum(),
            accuracy=expit(logit(accuracy) + now["accuracy"][0] + now["segment_accuracy"]),
            error_rate=float(expit(logit(USUAL.error_rate) + now["error_rate"][0])),
            missing=missing,
            shift=shift,
            relation=USUAL.relation if change.relation is None else _between(USUAL.relation, change.relation, part),
            latency_ms=USUAL.latency_ms * float(np.exp(now["latency"][0])),
        )


def _moved(usual: float, after: float | None, part: float, segments: int, only: int | None) -> Floats:
    """(segments,) on the way from `usual` to `after`."""
    target = usual if after is None else _between(usual, after, part)
    concerned = np.full(segments, only is None) if only is None else np.arange(segments) == only
    own: Floats = np.where(concerned, target, usual)
    return own


def _between(usual: float, after: float, part: float) -> float:
    return usual + part * (after - usual)

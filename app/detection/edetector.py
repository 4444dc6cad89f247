"""Shiryaev-Roberts e-detectors: evidence since every possible start of a change, summed up in one float a stream.

With e-values e_t of windows (at most 1 on average, given the past, while nothing has changed) M_t = e_t (1 + M_{t-1})
grows by at most 1 a window on average; so the first time that it passes A takes at least A windows on average,
however the windows depend on each other (Shin, Ramdas and Rinaldo, arXiv:2203.03532, theorem 2.4 and section 3). Means
of such detectors are such detectors: one of several alternatives, or of many streams that may raise one alarm.
"""

import numpy as np

from app.decoding.columns import Floats

# Logarithm of M before anything was seen, and the least one kept: e^-50 of a window's evidence is nothing.
FRESH = -50.0
# More would only take room where the state is stored.
DECIMALS = 4


def advance(log_m: Floats, log_e: Floats) -> Floats:
    """The detectors after one window; both are natural logarithms of one shape."""
    after: Floats = np.maximum(np.logaddexp(0.0, log_m) + log_e, FRESH)
    return after.round(DECIMALS)


def log_mean(log_values: Floats, weights: Floats | None = None) -> Floats:
    """The logarithm of the mean of exp(`log_values`) over the last axis. `weights`: of the same shape, adding up to 1.

    A weighted mean of e-detectors is one, if the weights are chosen beforehand.
    """
    highest = log_values.max(axis=-1, keepdims=True)
    values = np.exp(log_values - highest)
    means = np.log(values.mean(axis=-1) if weights is None else (values * weights).sum(axis=-1))
    whole: Floats = means + np.squeeze(highest, axis=-1)
    return whole


def told(log_m: Floats, log_threshold: float) -> list[int]:
    """Of streams that share an alarm by their mean, those to name, the strongest first: e-BH (Wang and Ramdas, JRSS B
    84, 2022; over time: Dandapanthula and Ramdas, arXiv:2501.04130); at least the strongest."""
    order = np.argsort(-log_m, kind="stable")
    needed = log_threshold + np.log(len(order) / np.arange(1, len(order) + 1))
    passed = np.flatnonzero(log_m[order] >= needed)
    named: list[int] = order[: max(1, int(passed[-1]) + 1 if len(passed) else 1)].tolist()
    return named

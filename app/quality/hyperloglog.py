"""How many different values there were, from the keys of the values, within a few percent and mergeable.

HyperLogLog (Flajolet, Fusy, Gandouet and Meunier, AofA 2007) with Ertl's estimator, which needs no correction for few
or many values ("New cardinality estimation algorithms for HyperLogLog sketches", arXiv:1702.01284, algorithm 6).
"""

import base64
from math import inf, log, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.quality.keys import Keys

Registers = NDArray[np.uint8]
# The standard error is 1.04 / sqrt(REGISTERS) = 6.5 %.
REGISTERS = 256
_REST = 52
_FEW = 60


def places(keys: Keys) -> tuple[NDArray[np.int64], Registers]:
    """The register of each key, by its first 8 bits, and the rank that it asks for: zeros leading the last 52, + 1."""
    rest = (keys & np.uint64(2**_REST - 1)).astype(np.float64)
    ranks = _REST + 1 - np.frexp(rest)[1]
    return (keys >> np.uint64(56)).astype(np.int64), ranks.astype(np.uint8)


def estimate(registers: Registers) -> float:
    """The number of different keys."""
    counts = np.bincount(registers, minlength=_REST + 2).tolist()
    z = REGISTERS * _tau(1 - counts[_REST + 1] / REGISTERS)
    for count in reversed(counts[1 : _REST + 1]):
        z = 0.5 * (z + count)
    z += REGISTERS * _sigma(counts[0] / REGISTERS)
    return REGISTERS**2 / (2 * log(2)) / z


def _sigma(x: float) -> float:
    if x == 1:
        return inf
    y, z, before = 1.0, x, -1.0
    while z != before:
        x, before = x * x, z
        z += x * y
        y += y
    return z


def _tau(x: float) -> float:
    if x in (0.0, 1.0):
        return 0.0
    y, z, before = 1.0, 1 - x, -1.0
    while z != before:
        x, before, y = sqrt(x), z, 0.5 * y
        z -= (1 - x) ** 2 * y
    return z / 3


def state(registers: Registers) -> Any:
    """As JSON: register and rank of few, base64 of many."""
    used = np.flatnonzero(registers)
    if len(used) <= _FEW:
        return [used.tolist(), registers[used].tolist()]
    return base64.b64encode(registers.tobytes()).decode()


def from_state(state: Any) -> Registers:
    if isinstance(state, str):
        return np.frombuffer(base64.b64decode(state), np.uint8).copy()
    registers = np.zeros(REGISTERS, np.uint8)
    registers[np.array(state[0], np.int64)] = state[1]
    return registers

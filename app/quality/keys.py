"""Values as 64-bit keys that are the same in every process, so that equal values can be told by their keys.

The mixing is the finalizer of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
OOPSLA 2014): each bit of a value changes half the bits of its key.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from app.columns import FeatureColumn, Floats, Kind

Keys = NDArray[np.uint64]
# Of an embedding: two that agree in as many numbers are one.
VECTOR_HEAD = 8
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SPREAD = 0x9E3779B97F4A7C15


def mixed(values: Keys) -> Keys:
    """(...) each value's key; another value has another key. In place."""
    values ^= values >> np.uint64(30)
    values *= _FIRST
    values ^= values >> np.uint64(27)
    values *= _SECOND
    values ^= values >> np.uint64(31)
    return values


@cache
def salt(name: str) -> int:
    """What sets the values of one feature apart from those of another."""
    return (_bits_of_text(name) * _SPREAD) % 2**64


def feature_keys(features: Mapping[str, FeatureColumn], names: Sequence[str], size: int) -> Keys:
    """(k, size) the key of each value, 0 where it is missing."""
    if not names:
        return np.zeros((0, size), np.uint64)
    numbers: Floats = np.array([features[name].numbers for name in names])
    numbers += 0.0  # -0.0 is 0.0
    bits = numbers.view(np.uint64)
    missing = []
    for own, name in zip(bits, names, strict=True):
        column = features[name]
        if column.values is not None:
            own[:] = _bits(column, own)
        if column.kinds is not Kind.NUMBER:
            missing.append((own, np.asarray(column.kinds) == Kind.MISSING))
    bits += np.array([salt(name) for name in names], np.uint64)[:, None]
    mixed(bits)
    for own, gaps in missing:
        own[gaps] = 0
    return bits


def number_keys(numbers: Floats) -> Keys:
    """(n,) of numbers, 0 for NaN."""
    found = mixed((numbers + 0.0).view(np.uint64) + np.uint64(_SPREAD))
    found[np.isnan(numbers)] = 0
    return found


def text_keys(values: Sequence[str | None]) -> Keys:
    """(n,) of texts, 0 for None."""
    bits = _mapped(values, {value: _bits_of_text(value) for value in set(values) if value is not None} | {None: 0})
    found = mixed(bits + np.uint64(_SPREAD))
    found[bits == 0] = 0
    return found


def _bits(column: FeatureColumn, numbers: Keys) -> Keys:
    """(n,) of a column with values that are no numbers. `numbers`: the bits of those that are."""
    values: Sequence[Any] = column.values or ()
    kinds = np.broadcast_to(np.asarray(column.kinds), len(values))
    if column.kinds is Kind.TEXT:
        return _mapped(values, _texts(values))
    found = numbers.copy()
    if len(places := np.flatnonzero(kinds == Kind.TEXT)):
        texts = [values[place] for place in places.tolist()]
        found[places] = _mapped(texts, _texts(texts))
    if len(places := np.flatnonzero(kinds == Kind.VECTOR)):
        found[places] = [_bits_of_vector(values[place]) for place in places.tolist()]
    return found


def _texts(values: Iterable[str]) -> dict[str, int]:
    return {value: _bits_of_text(value) for value in set(values)}


def _mapped(values: Sequence[Any], bits: Mapping[Any, int]) -> Keys:
    return np.fromiter(map(bits.__getitem__, values), np.uint64, len(values))


def _bits_of_text(text: str) -> int:
    """Above what small numbers have, so that "1" is not 1."""
    return crc32(text.encode("utf-8", "surrogatepass")) | 0x7FF1 << 48


def _bits_of_vector(vector: Sequence[Any]) -> int:
    head = vector[:VECTOR_HEAD]
    try:
        return crc32(array("d", head).tobytes()) | 0x7FF2 << 48
    except TypeError:
        return crc32(repr(head).encode()) | 0x7FF2 << 48

"""Values as 64-bit keys that are the same in every process, so that equal values can be told by their keys.

The mixing is the finalizer of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
OOPSLA 2014): each bit of a value changes half the bits of its key.
"""

from array import array
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import FeatureColumn, Floats, Kind

Keys = NDArray[np.uint64]
# Of an embedding: two that agree in as many numbers are one.
VECTOR_HEAD = 8
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SPREAD = 0x9E3779B97F4A7C15
_TEXT, _VECTOR = np.uint64(0x7FF1 << 48), 0x7FF2 << 48


def mixed(values: Keys) -> Keys:
    """(...) each value's key; another value has another key. In place."""
    values ^= values >> np.uint64(30)
    values *= _FIRST
    values ^= values >> np.uint64(27)
    values *= _SECOND
    values ^= values >> np.uint64(31)
    return values


@lru_cache(4096)
def salt(name: str) -> int:
    """What sets the values of one feature apart from those of another."""
    return (crc32(name.encode()) * _SPREAD) % 2**64


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
    """(n,) of texts of which there are few, 0 for None."""
    texts = [value for value in set(values) if value is not None]
    known: dict[str | None, int] = dict(
        zip(texts, mixed(_bits_of_texts(texts) + np.uint64(_SPREAD)).tolist(), strict=True)
    )
    known[None] = 0
    return np.fromiter(map(known.__getitem__, values), np.uint64, len(values))


def _bits(column: FeatureColumn, numbers: Keys) -> Keys:
    """(n,) of a column with values that are no numbers. `numbers`: the bits of those that are."""
    values: Sequence[Any] = column.values or ()
    if column.kinds is Kind.TEXT:
        return _bits_of_texts(values)
    kinds = np.broadcast_to(np.asarray(column.kinds), len(values))
    found = numbers.copy()
    if len(places := np.flatnonzero(kinds == Kind.TEXT)):
        found[places] = _bits_of_texts([values[place] for place in places.tolist()])
    if len(places := np.flatnonzero(kinds == Kind.VECTOR)):
        found[places] = [_bits_of_vector(values[place]) for place in places.tolist()]
    return found


def _bits_of_texts(texts: Sequence[str]) -> Keys:
    """(n,) checksums, above what small numbers have, so that "1" is not 1. Few texts are looked at once each."""
    different = set(texts)
    if 2 * len(different) > len(texts):
        sums = map(crc32, map(str.encode, texts))
    else:
        sums = map(dict(zip(different, map(crc32, map(str.encode, different)), strict=True)).__getitem__, texts)
    return np.fromiter(sums, np.uint64, len(texts)) | _TEXT


def _bits_of_vector(vector: Sequence[Any]) -> int:
    head = vector[:VECTOR_HEAD]
    try:
        return crc32(array("d", head).tobytes()) | _VECTOR
    except TypeError:
        return crc32(repr(head).encode()) | _VECTOR

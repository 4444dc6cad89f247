"""Columns of an Arrow batch -> numpy and Python values, whole columns at a time."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from app.decoding.columns import Floats, Ints

Mask = NDArray[np.bool_]


def is_number(kind: pa.DataType) -> bool:
    found: bool = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return found


def is_text(kind: pa.DataType) -> bool:
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    found: bool = pa.types.is_string(inner) or pa.types.is_large_string(inner)
    return found


def floats(column: pa.Array) -> Floats:
    """(n,) of a column of numbers or truth values, NaN where null."""
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    numbers: Floats = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return numbers


def milliseconds(column: pa.Array) -> tuple[Ints, Mask]:
    """(n,) of a column of times, without a zone as UTC, and where there is none."""
    # Finer than milliseconds is not event time.
    whole = column.cast(pa.timestamp("ms", "UTC"), safe=False).cast(pa.int64())
    missing: Mask = column.is_null().to_numpy(zero_copy_only=False)
    times: Ints = pc.fill_null(whole, 0).to_numpy(zero_copy_only=False)
    return times, missing


def values(column: pa.Array) -> list[Any]:
    """The values as Python has them: None where null, decimals as numbers, times in UTC."""
    if pa.types.is_timestamp(column.type):
        # Python has no nanoseconds.
        column = column.cast(pa.timestamp("ms", "UTC"), safe=False)
    elif pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    found: list[Any] = column.to_pylist()
    return found


def mapped(column: pa.Array, meaning: Callable[[Any], Any]) -> list[Any]:
    """`meaning` of each value, (n,), asked once for each distinct one; it gets None for null."""
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    codes = pc.fill_null(coded.indices.cast(pa.int64()), len(coded.dictionary)).to_numpy(zero_copy_only=False)
    meanings = np.empty(len(coded.dictionary) + 1, object)
    for place, value in enumerate([*values(coded.dictionary), None]):
        meanings[place] = meaning(value)
    found: list[Any] = meanings[codes].tolist()
    return found


def plain(column: pa.Array) -> pa.Array:
    """The column without a dictionary, so that it goes together with others of its kind."""
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column

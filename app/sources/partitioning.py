"""Which partition a key belongs to: murmur2, as the Java client and aiokafka have it, over many keys at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import Ints

Words = NDArray[np.uint32]
SEED = np.uint32(0x9747B28C)
M = np.uint32(0x5BD1E995)


def partitions_of(keys: Sequence[bytes], partitions: int) -> Ints:
    """(n,) the partition of each key. Keys of equal length are hashed together."""
    lengths = np.fromiter(map(len, keys), np.int64, len(keys))
    found = np.empty(len(keys), np.int64)
    for length in np.unique(lengths).tolist():
        same = np.flatnonzero(lengths == length)
        joined = b"".join(keys if len(same) == len(keys) else [keys[place] for place in same.tolist()])
        octets = np.frombuffer(joined, np.uint8).reshape(len(same), length)
        found[same] = (murmur2(octets) & np.uint32(0x7FFFFFFF)) % np.uint32(partitions)
    return found


def elsewhere(keys: Sequence[bytes | None], partition: int, partitions: int) -> tuple[Ints, Ints]:
    """(m,) places of the keys that belong to another partition than `partition`, and (m,) the one to which each does.

    What has no key belongs nowhere in particular.
    """
    present = [key for key in keys if key is not None]
    right = partitions_of(present, partitions)
    wrong = np.flatnonzero(right != partition)
    if len(present) == len(keys):
        return wrong, right[wrong]
    keyed = np.array([place for place, key in enumerate(keys) if key is not None], np.int64)
    return keyed[wrong], right[wrong]


def murmur2(octets: NDArray[np.uint8]) -> Words:
    """(n,) hashes of n keys of one length, (n, length). The algorithm of Austin Appleby's MurmurHash2, 32 bits."""
    rows, length = octets.shape
    whole = length // 4 * 4
    words = np.ascontiguousarray(octets[:, :whole]).view("<u4").reshape(rows, whole // 4)
    hashes = np.full(rows, SEED ^ np.uint32(length), np.uint32)
    for index in range(words.shape[1]):
        mixed = words[:, index] * M
        mixed ^= mixed >> np.uint32(24)
        hashes = (hashes * M) ^ (mixed * M)
    if length > whole:
        for place in range(length - 1, whole - 1, -1):
            hashes ^= octets[:, place].astype(np.uint32) << np.uint32(8 * (place - whole))
        hashes *= M
    hashes ^= hashes >> np.uint32(13)
    hashes *= M
    hashes ^= hashes >> np.uint32(15)
    return hashes

"""Which places of a sequence belong together."""

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)


def members_of(keys: Sequence[Key]) -> Mapping[Key, Sequence[int]]:
    """Key -> the places that have it, in order; keys in the order of their first places."""
    if keys and keys.count(keys[0]) == len(keys):  # as it mostly is, and soon seen
        return {keys[0]: range(len(keys))}
    members: dict[Key, list[int]] = {}
    for place, key in enumerate(keys):
        members.setdefault(key, []).append(place)
    return members

"""Which places of a sequence belong together."""

from collections.abc import Hashable, Iterable
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)


def members_of(keys: Iterable[Key]) -> dict[Key, list[int]]:
    """Key -> the places that have it, in order; keys in the order of their first places."""
    members: dict[Key, list[int]] = {}
    for place, key in enumerate(keys):
        members.setdefault(key, []).append(place)
    return members

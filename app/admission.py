"""Which segments of a model are followed: the first ones, up to a limit, so that a bad column costs nothing."""

from collections.abc import Iterable

from app.segments import EVERYTHING, Segment, as_object, from_object

# A segment that nothing came for in this long gives its place away.
FORGET_MS = 7 * 86_400_000
# How exactly it is known when a segment was last there: it is stored with every change.
GRAIN_MS = 86_400_000


class Admission:
    """At most `limit` segments of one model, first come first served. `state`: as `state()` gave it."""

    def __init__(self, limit: int, state: Iterable[tuple[dict[str, str], int]] = ()) -> None:
        self.limit = limit
        self.left_out = 0
        """Segments of panes that were not followed."""
        self._seen: dict[Segment, int] = {from_object(segment): time for segment, time in state}

    def state(self) -> list[tuple[dict[str, str], int]]:
        return [(as_object(segment), time) for segment, time in sorted(self._seen.items())]

    def admit(self, segments: Iterable[Segment], time: int) -> set[Segment]:
        """Those of a pane's segments that are followed; all of the traffic always is."""
        found = set(segments)
        day = time - time % GRAIN_MS
        for segment in sorted(found - {EVERYTHING}):
            if segment in self._seen or self._room(time):
                self._seen[segment] = day
        followed = {segment for segment in found if segment == EVERYTHING or segment in self._seen}
        self.left_out += len(found) - len(followed)
        return followed

    def _room(self, time: int) -> bool:
        if len(self._seen) >= self.limit:
            self._seen = {segment: seen for segment, seen in self._seen.items() if seen + FORGET_MS > time}
        return len(self._seen) < self.limit

"""Rows -> the groups they add up in: segment, pane, cohort, and whether they came too late for their pane."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import Ints
from app.segments import EVERYTHING, LONGEST_VALUE, Segment
from app.settings import WindowSettings
from app.sources.watermarks import late_rows
from app.statistics.groups import distinct


class Group(NamedTuple):
    """`pane`, `cohort`: their starts in ms. A late row sits in the pane that its source has come to.

    `revises`: what corrected labels change in the cohort, and in nothing else.
    """

    segment: Segment
    pane: int
    cohort: int
    late: bool
    revises: bool = False


class Moments(NamedTuple):
    """When rows count. `codes`: (n,) the index into `distinct` of each row; `late`: (n,)."""

    codes: Ints
    distinct: list[tuple[int, int, bool]]
    late: NDArray[np.bool_]

    @property
    def panes(self) -> Ints:
        """(n,) start of the pane of each row, in ms."""
        panes: Ints = np.array([pane for pane, _, _ in self.distinct], np.int64)[self.codes]
        return panes

    def revising(self) -> "Moments":
        """The same, with all rows out of the windows of their panes."""
        distinct = sorted({(pane, cohort, True) for pane, cohort, _ in self.distinct})
        places = np.array([distinct.index((pane, cohort, True)) for pane, cohort, _ in self.distinct], np.int64)
        return Moments(places[self.codes], distinct, np.ones(len(self.codes), np.bool_))


def moments(times: Ints, cohort_times: Ints, watermarks: Ints, windows: WindowSettings) -> Moments:
    """Pane, cohort and lateness of each row. `watermarks`: (n,) of the source before each row."""
    pane_ms, cohort_ms = windows.pane_ms, windows.cohort_ms
    late = late_rows(times, watermarks, pane_ms, windows.lateness_ms)
    counted = np.where(late, watermarks, times) if late.any() else times
    panes, cohorts = counted // pane_ms, cohort_times // cohort_ms
    first_pane, first_cohort = int(panes.min()), int(cohorts.min())
    spread = int(cohorts.max()) - first_cohort + 1
    width = (int(panes.max()) - first_pane + 1) * spread * 2
    found, codes = distinct(((panes - first_pane) * spread + cohorts - first_cohort) * 2 + late, width)
    starts = [
        ((first_pane + code // 2 // spread) * pane_ms, (first_cohort + code // 2 % spread) * cohort_ms, bool(code % 2))
        for code in found.tolist()
    ]
    return Moments(codes, starts, late)


def groupings(
    when: Moments, columns: dict[str, list[str | None]], counted: NDArray[np.bool_] | None
) -> Iterator[tuple[list[Group], Ints]]:
    """For all rows, then for each segment column: the groups that occur, and the index of each row's (-1: in none)."""
    hidden = None if counted is None or counted.all() else ~counted
    yield _occurring(when, [EVERYTHING], _masked(np.zeros(len(when.codes), np.int64), hidden))
    for name, values in columns.items():
        segments, codes = _segment_codes(name, values)
        yield _occurring(when, segments, _masked(codes, hidden))


def _masked(codes: Ints, hidden: NDArray[np.bool_] | None) -> Ints:
    return codes if hidden is None else np.where(hidden, -1, codes)


def _segment_codes(name: str, values: Sequence[str | None]) -> tuple[list[Segment], Ints]:
    known = {value: code for code, value in enumerate(sorted({v for v in values if v and len(v) <= LONGEST_VALUE}))}
    codes = np.array([known.get(value, -1) for value in values], np.int64)  # type: ignore[arg-type]
    return [((name, value),) for value in known], codes


def _occurring(when: Moments, segments: list[Segment], codes: Ints) -> tuple[list[Group], Ints]:
    width = len(when.distinct)
    if len(segments) * width == 1 and not (codes < 0).any():
        return [Group(segments[0], *when.distinct[0])], codes
    combined = np.where(codes < 0, -1, codes * width + when.codes)
    found: Ints = np.unique(combined[combined >= 0])
    renumbered = np.full(max(len(segments) * width, 1) + 1, -1, np.int64)
    renumbered[found] = np.arange(len(found))
    return [Group(segments[c // width], *when.distinct[c % width]) for c in found.tolist()], renumbered[combined]

"""Open panes of one partition of `panes`: parts of all source partitions, until the watermark closes them.

A part is the running total of one block of a source partition's offsets. Per block the part with the highest last
offset holds, of equal ones the later one, so a part sent again changes nothing. A newer owner of the source may know of
pairs that the one before had not put together: its part holds as soon as it comes as far as a tick has told of, on
whose word panes close. What a former owner still sends when a newer one has spoken is ignored (`sources/fences.py`).
Nothing here is stored: reading again from `floor`, with the fences there, gives the same panes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from app.segments import EVERYTHING, Segment, from_object
from app.settings import WindowSettings
from app.sources.fences import Fences
from app.sources.progress import Progress
from app.statistics.sample import Sample
from app.statistics.totals import Totals, merged

WindowKey = tuple[str, Segment]
CohortKey = tuple[str, Segment, int]


class BlockName(NamedTuple):
    """The order of these is the order in which parts are merged."""

    topic: str
    partition: int
    block: int


class Examples(NamedTuple):
    """Joined truth of one block: rows between two offsets (both included) of a partition of `examples`."""

    block: BlockName
    version: str
    partition: int
    first: int
    last: int
    rows: int


@dataclass(slots=True)
class ClosedPane:
    """All that happened in [start, end) ms of event time, by version and segment.

    `windows`: rows that were on time. `cohorts`: the same and late ones, by the start (ms) of the predictions' cohort;
    where they are the same rows it is the same object, so it is read only. `samples`: version -> first rows of all its
    traffic, while it has no baseline. `position`: offset in `panes` at which it was complete.
    """

    model: str
    start: int
    end: int
    windows: dict[WindowKey, Totals]
    cohorts: dict[CohortKey, Totals]
    samples: dict[str, Sample]
    examples: list[Examples]
    position: int


class _Reach(NamedTuple):
    """What a part says of itself. `offset`: its last one."""

    epoch: int | None
    offset: int

    def gives_way(self, to: "_Reach", told: int) -> bool:
        """`told`: offset below which all of the source was told to be counted."""
        return to.offset >= (self.offset if to.epoch == self.epoch else min(self.offset, told - 1))


class _Group(NamedTuple):
    version: str
    segment: Segment
    cohort: int
    late: bool
    revises: bool


@dataclass(slots=True)
class _OpenPane:
    """`parts`: per group and block the one that holds, with its state. `first`: offset of the first of them."""

    first: int
    parts: dict[_Group, dict[BlockName, tuple[_Reach, Any]]] = field(default_factory=dict)
    examples: dict[tuple[BlockName, str], tuple[_Reach, Examples]] = field(default_factory=dict)

    def add(self, group: _Group, block: BlockName, part: _Reach, told: int, state: Any) -> None:
        blocks = self.parts.setdefault(group, {})
        if block not in blocks or blocks[block][0].gives_way(part, told):
            blocks[block] = (part, state)

    def add_examples(self, examples: Examples, part: _Reach, told: int) -> None:
        known = self.examples.get((examples.block, examples.version))
        if known is None or known[0].gives_way(part, told):
            self.examples[examples.block, examples.version] = (part, examples)


class PaneBoard:
    """Parts and ticks of one partition of `panes`, in the order of their offsets. `metadata`: see `Fences`."""

    def __init__(self, windows: WindowSettings, metadata: str = "") -> None:
        self.pane_ms = windows.pane_ms
        self.lateness_ms = windows.lateness_ms
        self.progress = Progress()
        self.fences = Fences(metadata)
        self.after_close = 0
        """Parts that came for panes that were closed already: repeated ones, and ones of a source that was idle."""
        self._open: dict[tuple[int, str], _OpenPane] = {}
        self._closed: dict[str, int] = {}
        self._position = -1

    def add(self, message: Mapping[str, Any], offset: int) -> None:
        """Takes in the part or tick at `offset`."""
        self._position = offset
        if "tick" in message:
            tick = message["tick"]
            self.progress.tick({**tick, "sources": self.fences.lines(tick, offset)}, offset)
        elif self.fences.stands((message["source"][0], message["source"][1]), message.get("epoch"), offset):
            self._add_part(message, offset)

    def watermark(self) -> int | None:
        """See `Progress.watermark`."""
        return self.progress.watermark()

    def closed(self, model: str, through: int) -> None:
        """Everything of `model` before `through` (ms, an edge of panes) is closed for good: parts of it are ignored."""
        self._closed[model] = max(through, self._closed.get(model, through))
        for pane in [key for key in self._open if key[1] == model and key[0] < through]:
            del self._open[pane]

    def ready(self, limit: int | None = None) -> list[ClosedPane]:
        """The panes that are complete, at most `limit`, by time and model. They stay until they are forgotten."""
        watermark = self.watermark()
        if watermark is None:
            return []
        through = watermark - self.lateness_ms - self.pane_ms
        return [self._merged(*key) for key in sorted(key for key in self._open if key[0] <= through)[:limit]]

    def forget(self, pane: ClosedPane) -> None:
        """`pane` is published and stored: it holds the floor no longer."""
        self.closed(pane.model, pane.end)

    def floor(self, next_offset: int) -> int:
        """Where a restart must begin to have everything again that is open; `next_offset` when nothing is."""
        ticks = self.progress.first_offset()
        panes = [pane.first for pane in self._open.values()]
        return min([next_offset, *panes, *([] if ticks is None else [ticks])])

    def _add_part(self, part: Mapping[str, Any], offset: int) -> None:
        topic, partition = part["source"]
        block = BlockName(topic, partition, part["block"])
        own = _Reach(part.get("epoch"), part["offset"])
        progress = self.progress.told.get((topic, partition))
        told = 0 if progress is None else progress.position
        latest = None
        for group in part["totals"]:
            if group["pane"] < self._closed.get(part["model"], group["pane"]):
                self.after_close += 1
                continue
            latest = group["pane"] if latest is None else max(latest, group["pane"])
            pane = self._open.setdefault((group["pane"], part["model"]), _OpenPane(offset))
            segment, revises = from_object(group["segment"]), group.get("revises", False)
            name = _Group(part["version"], segment, group["cohort"], group["late"], revises)
            pane.add(name, block, own, told, group["state"])
        if latest is not None and part.get("examples"):
            examples = Examples(block, part["version"], *part["examples"])
            self._open[latest, part["model"]].add_examples(examples, own, told)

    def _merged(self, start: int, model: str) -> ClosedPane:
        """Floats add up to the same only in the same order: groups by name, within each the blocks by name."""
        pane = self._open[start, model]
        windows: dict[WindowKey, list[Totals]] = {}
        cohorts: dict[CohortKey, list[Totals]] = {}
        samples: dict[str, Sample] = {}
        for group, blocks in sorted(pane.parts.items()):
            totals = _sum([state for _, (_, state) in sorted(blocks.items())])
            sample = totals.take_sample()
            cohorts.setdefault((group.version, group.segment, group.cohort), []).append(totals)
            if not (group.late or group.revises):
                windows.setdefault((group.version, group.segment), []).append(totals)
                if sample is not None and group.segment == EVERYTHING:
                    samples.setdefault(group.version, Sample(sample.limit)).merge(sample)
        return ClosedPane(
            model=model,
            start=start,
            end=start + self.pane_ms,
            windows={key: _whole(groups) for key, groups in windows.items()},
            cohorts={key: _whole(groups) for key, groups in cohorts.items()},
            samples=samples,
            examples=[entry for _, (_, entry) in sorted(pane.examples.items())],
            position=self._position,
        )


def _sum(states: list[Any]) -> Totals:
    first, *others = map(Totals.from_state, states)
    for totals in others:
        first.merge(totals)
    return first


def _whole(groups: list[Totals]) -> Totals:
    return groups[0] if len(groups) == 1 else merged(groups)

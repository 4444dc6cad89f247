"""Running totals of one block of a source partition's offsets, and the parts that are sent of them.

The offsets of a partition form a fixed grid of blocks. A part is the total of one block, up to the offset it names, for
one group; sent again it says the same, and of two the one with the higher offset holds. So a replay from the start of a
block adds nothing twice, and nothing that a worker has in memory must survive it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from app.decoding.columns import Ints, PredictionColumns, ResourceColumns
from app.drift.baseline import Baseline
from app.drift.timeline import Timeline
from app.estimates.losses import PreparedLosses
from app.joining.corrections import Corrections
from app.joining.pairs import PairRun
from app.messages import Message
from app.relations.derived import derive
from app.segments import EVERYTHING, as_object, segment_values
from app.settings import Settings
from app.statistics.outputs import expected_losses
from app.statistics.prepared import PreparedPairs, PreparedPredictions, count_corrected, update_resources
from app.statistics.totals import Totals
from app.statistics.truth import PreparedTruth
from app.windowing.grouping import Group, groupings, moments

BaselineOf = Callable[[str, str], Timeline]

# A message takes groups until it is as large as this. A group is far below the 8 MB that the producer sends: with ten
# features it takes about 4 KB, and with rows to fit a baseline from, of texts and embeddings, some 300 KB.
BYTES_A_MESSAGE = 1_000_000
# First rows of each group that go to close while the version has no baseline to be counted against.
SAMPLE_ROWS = 256


@dataclass(slots=True)
class VersionTotals:
    """One model version within one block.

    `baselines`: those that its rows are counted against, each with the pane (ms) from which on: as `timeline` has it,
    but a pane that has begun goes on with the one that it began with. `begun`: the start of the latest one (ms).
    """

    timeline: Timeline
    baselines: list[tuple[int, Baseline | None]] = field(init=False)
    task: str = "classification"
    late: int = 0
    begun: int = 0
    groups: dict[Group, Totals] = field(default_factory=dict)
    touched: set[Group] = field(default_factory=set)
    examples: list[int] = field(default_factory=list)
    """Of this block's pairs on `examples`: partition, first offset, last offset, rows."""

    def __post_init__(self) -> None:
        self.baselines = self.timeline.spans()

    def adopt(self, timeline: Timeline, pane_ms: int) -> None:
        """From the next pane on rows are counted as `timeline` says."""
        if timeline is not self.timeline:
            latest = self.begun + pane_ms if self.begun else 0
            self.baselines = [*((s, own) for s, own in self.baselines if s < latest), *timeline.spans(latest)]
            self.timeline = timeline

    def by_baseline(self, panes: Ints) -> Iterator[tuple[Baseline | None, NDArray[np.bool_] | None]]:
        """Each baseline with the rows that are counted against it, (n,), None for all. `panes`: of each row."""
        if (panes >= self.baselines[-1][0]).all():
            yield self.baselines[-1][1], None
            return
        starts = [*(start for start, _ in self.baselines[1:]), np.iinfo(np.int64).max]
        for (start, baseline), end in zip(self.baselines, starts, strict=True):
            chosen = (panes >= start) & (panes < end)
            if chosen.any():
                yield baseline, chosen

    def members(self, groups: list[Group]) -> list[Totals]:
        self.touched.update(groups)
        self.begun = max([self.begun, *(group.pane for group in groups)])
        return [self.groups.setdefault(group, Totals()) for group in groups]


class Block:
    """Block `number` of `source` (topic, partition), as its owner of `epoch` counts it."""

    def __init__(
        self,
        source: tuple[str, int],
        number: int,
        settings: Settings,
        baseline_of: BaselineOf,
        epoch: int = 0,
    ) -> None:
        self.source = source
        self.epoch = epoch
        self.number = number
        self.settings = settings
        self.baseline_of = baseline_of
        self.versions: dict[tuple[str, str], VersionTotals] = {}

    def version(self, model: str, version: str) -> VersionTotals:
        totals = self.versions.get((model, version))
        if totals is None:
            totals = self.versions[model, version] = VersionTotals(self.baseline_of(model, version))
        return totals

    def count_predictions(self, columns: PredictionColumns, watermarks: Ints, counted: Any | None) -> int:
        """Adds the rows where `counted` (None: all); gives the number of late ones. `watermarks`: before each row."""
        totals = self.version(columns.model, columns.version)
        totals.task = columns.task
        when = moments(columns.timestamps, columns.timestamps, watermarks, self.settings.windows)
        totals.adopt(self.baseline_of(columns.model, columns.version), self.settings.windows.pane_ms)
        model = self.settings.model(columns.model)
        segments = segment_values(columns, model.segments)
        for baseline, chosen in totals.by_baseline(when.panes):
            prepared = PreparedPredictions(
                columns, baseline, SAMPLE_ROWS, model.max_features, model.quality, model.text
            )
            for groups, codes in groupings(when, segments, _both(counted, chosen)):
                if groups:
                    prepared.update(totals.members(groups), codes, whole=groups[0].segment == EVERYTHING)
        late = int(when.late.sum() if counted is None else (when.late & counted).sum())
        totals.late += late
        return late

    def count_pairs(self, run: PairRun) -> int:
        """Adds pairs where they count, in the cohorts of their predictions; gives the number of late ones."""
        pairs = run.pairs
        totals = self.version(pairs.model, pairs.version)
        totals.task = pairs.task
        model = self.settings.model(pairs.model)
        when = moments(run.times, run.predictions.timestamps, run.watermarks, self.settings.windows)
        totals.adopt(self.baseline_of(pairs.model, pairs.version), self.settings.windows.pane_ms)
        losses = self._expected_losses(totals, run, when.panes) if pairs.task == "regression" else []
        numbers = pairs.label_values if pairs.task == "regression" else None
        truth = None if numbers is None else PreparedTruth(numbers, totals.by_baseline(when.panes))
        prepared = PreparedPairs(pairs, model.positive, losses=losses, truth=truth)
        for groups, codes in groupings(when, segment_values(run.predictions, model.segments), None):
            prepared.update(totals.members(groups), codes)
        late = int(when.late.sum())
        totals.late += late
        return late

    def _expected_losses(
        self, totals: VersionTotals, run: PairRun, panes: Ints
    ) -> list[tuple[PreparedLosses, NDArray[np.bool_] | None]]:
        """What the baselines of these pairs' panes expect of them."""
        weights = np.ones(run.pairs.size) if run.pairs.weights is None else run.pairs.weights
        texts = self.settings.model(run.pairs.model).text
        found = []
        for baseline, chosen in totals.by_baseline(panes):
            if baseline is not None and baseline.performance is not None and baseline.performance.trees is not None:
                columns = derive(run.predictions, texts, baseline.features)
                found.append((expected_losses(baseline, columns, weights, run.pairs.label_values), chosen))
        return [(losses, chosen) for losses, chosen in found if losses is not None]

    def count_corrections(self, corrections: Corrections) -> int:
        """Counts them where they came, and revises the cohorts of their predictions; gives the number of late ones."""
        run = corrections.after
        totals = self.version(run.pairs.model, run.pairs.version)
        totals.task = run.pairs.task
        model = self.settings.model(run.pairs.model)
        segments, made = segment_values(run.predictions, model.segments), run.predictions.timestamps
        when = moments(run.times, made, run.watermarks, self.settings.windows)
        for groups, codes in groupings(when, segments, None):
            count_corrected(totals.members(groups), codes)
        columns, signs = corrections.changes()
        prepared = PreparedPairs(columns, model.positive, signs)
        revised = moments(corrections.times(), made, run.watermarks, self.settings.windows).revising()
        for groups, codes in groupings(revised, segments, None):
            members = totals.members([group._replace(revises=True) for group in groups])
            prepared.update(members, np.repeat(codes, 2))
        late = int(when.late.sum())
        totals.late += late
        return late

    def count_resources(self, columns: ResourceColumns, watermarks: Ints) -> None:
        totals = self.version(columns.model, columns.version)
        when = moments(columns.timestamps, columns.timestamps, watermarks, self.settings.windows)
        for groups, codes in groupings(when, {}, None):
            update_resources(totals.members(groups), codes, columns)

    def examples_sent(self, model: str, version: str, partition: int, offset: int, rows: int) -> None:
        examples = self.version(model, version).examples
        examples[:] = (
            [partition, examples[1], offset, examples[3] + rows] if examples else [partition, offset, offset, rows]
        )

    def parts(self, last_offset: int) -> list[Message]:
        """The totals of all groups that changed since the last call, as of `last_offset`."""
        messages = []
        for (model, version), totals in self.versions.items():
            touched = sorted(totals.touched)
            for groups in _bundles(_group_part(group, totals.groups[group]) for group in touched):
                messages.append(
                    Message("panes", model, self._part(version, totals, groups, last_offset) | {"model": model})
                )
            totals.touched.clear()
        return messages

    def forget(self, watermark: int) -> None:
        """Lets go of panes that no later row counts in, all of which was sent. `watermark` (ms): of the source.

        Else a slow source, whose block stays open for days, would keep the totals of every pane since. A row that comes
        too late for its pane counts in the one that the watermark has come to.
        """
        windows = self.settings.windows
        closed = watermark - windows.lateness_ms - windows.pane_ms
        for totals in self.versions.values():
            for group in [group for group in totals.groups if group.pane <= closed]:
                del totals.groups[group]

    def _part(
        self, version: str, totals: VersionTotals, groups: list[dict[str, Any]], last_offset: int
    ) -> dict[str, Any]:
        part: dict[str, Any] = {
            "version": version,
            "source": list(self.source),
            "block": self.number,
            "offset": last_offset,
            "epoch": self.epoch,
            "task": totals.task,
            "late": totals.late,
            "totals": groups,
        }
        if totals.examples:
            part["examples"] = totals.examples
        return part


def _bundles(groups: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The groups in their order, together as far as a message holds them."""
    bundle: list[dict[str, Any]] = []
    size = 0
    for group in groups:
        own = len(orjson.dumps(group, option=orjson.OPT_SERIALIZE_NUMPY))
        if bundle and size + own > BYTES_A_MESSAGE:
            yield bundle
            bundle, size = [], 0
        bundle.append(group)
        size += own
    if bundle:
        yield bundle


def _both(one: Any | None, other: Any | None) -> Any | None:
    """Rows in both masks, (n,); None is all."""
    return other if one is None else one if other is None else one & other


def _group_part(group: Group, totals: Totals) -> dict[str, Any]:
    return {
        "segment": as_object(group.segment) if group.segment != EVERYTHING else {},
        "pane": group.pane,
        "cohort": group.cohort,
        "late": group.late,
        **({"revises": True} if group.revises else {}),
        "state": totals.state(),
    }

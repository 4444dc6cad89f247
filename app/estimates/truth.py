"""Estimates beside the truth that comes later: how far off they were, whether to trust them, and the correction."""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

from app.estimates.calibration import Calibration
from app.estimates.cells import KNOWN_KINDS, ScoreCells, right
from app.estimates.expected import as_they_came, expected_accuracy
from app.estimates.layout import Layout
from app.estimates.outcomes import Outcomes

# Estimate and truth are compared over so many labels: of fewer the difference is noise.
BATCH_LABELS = 500
# An estimate that is off by so little is good enough to act on; beyond it, by so many standard deviations.
TOLERANCE = 0.02
SIGMAS = 3.0
# Outcomes are forgotten by generations of so many rows: the last one that is whole, and the one that grows.
GENERATION_ROWS = 25_000
# Without a labelled baseline nothing is learned from fewer.
FEWEST_LEARNED = 2_000


class Truth:
    """The probabilities of one version beside its labels.

    `error`: realised less estimated accuracy over the last `BATCH_LABELS` labels or more, None before there were as
    many. `wrong`: whether that was beyond noise and tolerance. `baseline_id`: of the baseline whose outcomes it began
    with. `learned`: whether labels since have been enough to calibrate. `older`, `newer`: outcomes by generation.
    `batch`: pairs since the last comparison.
    """

    def __init__(self, state: Mapping[str, Any] | None = None) -> None:
        state = state or {}
        self.baseline_id: str | None = state.get("baseline_id")
        self.error: float | None = state.get("error")
        self.wrong: bool = state.get("wrong", False)
        self.learned: bool = state.get("learned", False)
        self.older = Outcomes.from_record(state["older"]) if "older" in state else None
        self.newer = Outcomes.from_record(state["newer"]) if "newer" in state else None
        self.batch = ScoreCells.from_state(state["batch"], KNOWN_KINDS) if "batch" in state else ScoreCells(KNOWN_KINDS)
        self._batches: int = state.get("batches", 0)
        self._fitted: list[Calibration] | None = None

    def state(self) -> dict[str, Any]:
        known = {
            "baseline_id": self.baseline_id,
            "error": self.error,
            "wrong": self.wrong,
            "learned": self.learned,
            "batches": self._batches,
        }
        outcomes = {
            name: own.record() for name, own in (("older", self.older), ("newer", self.newer)) if own is not None
        }
        return known | outcomes | ({"batch": self.batch.state()} if self.batch.seen else {})

    @property
    def trusted(self) -> bool:
        """Whether labels have shown what the probabilities are worth, and the last ones did not contradict it."""
        return not self.wrong and (self.older is not None or self.error is not None)

    def begin(self, baseline_id: str, outcomes: Outcomes) -> None:
        """A labelled baseline says what probabilities are worth: what was learned before is of another reference."""
        if self.baseline_id != baseline_id:
            self.baseline_id, self.older, self.newer = baseline_id, outcomes, None
            self.error, self.wrong, self.learned = None, False, False
            self.batch, self._fitted = ScoreCells(KNOWN_KINDS), None

    def calibrations(self, layout: Layout) -> Sequence[Calibration]:
        """One for each table of the layout; the probabilities as they came while nothing is known of them."""
        known = self.older or self.newer
        if known is None or known.layout != layout:
            return as_they_came(layout)
        if self._fitted is None:
            self._fitted = self._fit(known)
        return self._fitted

    def _fit(self, known: Outcomes) -> list[Calibration]:
        whole = Outcomes(known.layout)
        for own in (self.older, self.newer):
            if own is not None:
                whole.merge(own)
        return whole.calibrations() if self._calibrates else list(as_they_came(known.layout))

    @property
    def _calibrates(self) -> bool:
        return self.learned or self.baseline_id is not None

    def learn(self, pairs: ScoreCells) -> None:
        """Takes in the pairs of a window. They are compared with what was expected of them before they are learned."""
        self.batch.merge(pairs)
        if self.batch.mixed:
            self.batch = ScoreCells(KNOWN_KINDS)
        elif self.batch.layout is not None and self.batch.rows >= BATCH_LABELS:
            self._compare(self.batch, self.batch.layout)
            self._add(self.batch, self.batch.layout)
            self.batch = ScoreCells(KNOWN_KINDS)
            self._batches += 1

    def _compare(self, batch: ScoreCells, layout: Layout) -> None:
        estimate = expected_accuracy(batch, self.calibrations(layout))
        assert estimate is not None
        self.error = right(batch) / batch.rows - estimate.value
        self.wrong = abs(self.error) - TOLERANCE > SIGMAS * sqrt(estimate.variance)

    def _add(self, batch: ScoreCells, layout: Layout) -> None:
        """A calibration that was wrong is made anew of the newest labels: those before them were of other times.

        It needs both folds. So the batch after one that began anew is added to it, right or wrong.
        """
        begun = self.older is None and self.newer is not None and not self.newer.both_folds
        outdated = self.wrong and self._calibrates and not begun
        if outdated or (self.newer or self.older or Outcomes(layout)).layout != layout:
            self.older = self.newer = None
        if self.newer is None:
            self.newer = Outcomes(layout)
        self.newer.add(batch, self._batches % 2)
        self.learned = self.learned or self.newer.rows >= FEWEST_LEARNED
        if self.newer.rows >= GENERATION_ROWS:
            self.older, self.newer = self.newer, None
        self._fitted = None

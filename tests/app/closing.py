"""Parts, ticks and panes as ingest makes them, for the tests of what comes after it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from app.decoding.columns import FeatureColumn, Kind, PairColumns, PredictionColumns, Probabilities, ResourceColumns
from app.drift.baseline import Baseline
from app.segments import EVERYTHING, Segment, as_object
from app.statistics.prepared import update_resources
from app.statistics.totals import Totals
from app.windowing.panes import ClosedPane, CohortKey, Examples, WindowKey
from tests.app.statistics.made import update_pairs, update_predictions

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def predictions(
    rows: int = 1,
    *,
    errors: int = 0,
    latency_ms: Sequence[float] | float = 10.0,
    features: dict[str, Sequence[float]] | None = None,
    baseline: Baseline | None = None,
    sample_rows: int = 0,
    into: Totals | None = None,
) -> Totals:
    """Totals of `rows` predictions, of which the first `errors` failed. A feature's NaN is a missing value."""
    totals = into or Totals()
    failed = np.arange(rows) < errors
    columns = PredictionColumns(
        model="credit",
        version="1",
        task="classification",
        offsets=np.arange(rows),
        timestamps=np.zeros(rows, np.int64),
        ids=[str(row) for row in range(rows)],
        failed=failed,
        weights=None,
        latency_ms=np.broadcast_to(np.asarray(latency_ms, np.float64), rows).copy(),
        features={name: number_column(values) for name, values in (features or {}).items()},
        as_sent=[None if bad else "yes" for bad in failed],
        predicted=[None if bad else "yes" for bad in failed],
        values=np.full(rows, np.nan),
        probabilities=None,
        segments={},
    )
    update_predictions([totals], np.zeros(rows, np.int64), columns, baseline, sample_rows)
    return totals


def number_column(values: Sequence[float]) -> FeatureColumn:
    numbers = np.asarray(values, np.float64)
    return FeatureColumn(np.where(np.isnan(numbers), Kind.MISSING, Kind.NUMBER).astype(np.uint8), numbers, None)


def labelled(right: int, wrong: int, *, into: Totals | None = None, probability: float | None = None) -> Totals:
    """Totals of pairs: `right` whose prediction was true, `wrong` whose was not."""
    totals = into or Totals()
    rows = right + wrong
    given = None
    if probability is not None:
        given = Probabilities(("no", "yes"), np.tile([1 - probability, probability], (rows, 1)))
    columns = PairColumns(
        model="credit",
        version="1",
        task="classification",
        weights=None,
        predicted=["yes"] * rows,
        values=np.full(rows, np.nan),
        probabilities=given,
        labels=["yes"] * right + ["no"] * wrong,
        label_values=np.full(rows, np.nan),
        lag_ms=np.full(rows, 1000),
    )
    update_pairs([totals], np.zeros(rows, np.int64), columns, None)
    return totals


def regressed(errors: Sequence[float]) -> Totals:
    """Totals of pairs of a regression whose truth is 100 and whose predictions are off by `errors`."""
    totals = Totals()
    off = np.asarray(errors, np.float64)
    columns = PairColumns(
        model="credit",
        version="1",
        task="regression",
        weights=None,
        predicted=[None] * len(off),
        values=100 + off,
        probabilities=None,
        labels=[None] * len(off),
        label_values=np.full(len(off), 100.0),
        lag_ms=np.full(len(off), 1000),
    )
    update_pairs([totals], np.zeros(len(off), np.int64), columns, None)
    return totals


def used(**cpu_percent: float) -> Totals:
    """Totals of one reading of each instance."""
    totals, rows = Totals(), len(cpu_percent)
    nothing = np.full(rows, np.nan)
    figures = np.array(list(cpu_percent.values()))
    columns = ResourceColumns("credit", "1", np.zeros(rows, np.int64), list(cpu_percent), figures, *[nothing] * 3)
    update_resources([totals], np.zeros(rows, np.int64), columns)
    return totals


def group(
    totals: Totals, pane: int, *, segment: Segment = EVERYTHING, cohort: int = 0, late: bool = False
) -> dict[str, Any]:
    """One entry of a part's `totals`."""
    return {"segment": as_object(segment), "pane": pane, "cohort": cohort, "late": late, "state": totals.state()}


def part(
    *groups: dict[str, Any],
    source: tuple[str, int] = ("predictions", 0),
    block: int = 0,
    offset: int = 0,
    model: str = "credit",
    version: str = "1",
    examples: Sequence[int] | None = None,
) -> dict[str, Any]:
    message = {
        "model": model,
        "version": version,
        "source": list(source),
        "block": block,
        "offset": offset,
        "task": "classification",
        "late": 0,
        "totals": list(groups),
    }
    return message | ({"examples": list(examples)} if examples else {})


def tick(*sources: tuple[str, int, int, int | None, bool], **expected: int) -> dict[str, Any]:
    """`sources`: topic, partition, position, watermark, idle."""
    return {"tick": {"sources": [list(source) for source in sources], "expected": expected}}


def pane(
    start: int,
    windows: dict[WindowKey, Totals] | Totals,
    *,
    length: int = 10 * SECOND,
    cohorts: dict[CohortKey, Totals] | None = None,
    examples: Sequence[Examples] = (),
    model: str = "credit",
    position: int = 0,
) -> ClosedPane:
    """A closed pane; totals alone are those of version 1, everything. Without `cohorts`: of the day of the pane."""
    given = {("1", EVERYTHING): windows} if isinstance(windows, Totals) else windows
    samples = {}
    for (version, segment), totals in given.items():
        sample = totals.take_sample()
        if sample is not None and segment == EVERYTHING:
            samples[version] = sample
    if cohorts is None:
        cohorts = {(version, segment, start - start % DAY): totals for (version, segment), totals in given.items()}
    return ClosedPane(model, start, start + length, given, cohorts, samples, list(examples), position)

"""The benchmark's own arithmetic and traffic. What it measures, `make bench` says."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import orjson
import pytest

from app.decoding.chunks import RawChunk
from app.decoding.decode import decode_predictions
from app.decoding.runs import Decoded
from app.settings import Settings
from bench import traffic
from bench.__main__ import arguments, rounds, variants
from bench.checks import Check, Spread, spread, verdict
from bench.figures import checks, ratio, table
from bench.process import Process
from bench.runs import START_MS, Result
from bench.variants import BATCHES, JOIN, LIMIT, LONG, PLAIN, STOCK, VARIANTS, Variant

ROWS = 1000


def result(variant: Variant, cpu_s: float, rows: int = 1_000_000, rss_mb: float = 100.0) -> Result:
    records = 2 * rows if variant.join else rows
    return Result(variant.name, rows, records, 350 * rows, cpu_s, 1.0, 0.75, 10.0, 100.0, rss_mb, 150.0)


def decoded(records: Iterable[traffic.Record]) -> Decoded:
    values = [record.value for record in records]
    times = np.full(len(values), START_MS + traffic.SLICE)
    return decode_predictions(RawChunk(np.arange(len(values)), times, [None] * len(values), values), Settings())


def test_a_spread_is_a_median_between_its_extremes() -> None:
    assert spread([9.0, 1.0, 2.0]) == Spread(2.0, 1.0, 9.0)
    assert spread([1.0, 2.0]).middle == 1.5
    assert spread([1234.5, 9.0, 2.0]).told(1) == "9.0 (2.0..1,234.5)"


def test_ratios_are_taken_round_by_round() -> None:
    # In the second round everything took twice as long: no round says 4 or 1.
    results = [result(LIMIT, 4.0), result(PLAIN, 8.0), result(LIMIT, 8.0), result(PLAIN, 16.0)]
    assert ratio(results, "plain", "limit") == Spread(2.0, 2.0, 2.0)
    assert ratio(results, "plain", "stock") is None


def test_targets_are_told_for_what_ran() -> None:
    results = [result(LIMIT, 4.0), result(PLAIN, 8.0), result(STOCK, 80.0), result(LONG, 32.0, 4_000_000, 120.0)]
    told = {check.what: (check.figure.middle, check.passed) for check in checks(results)}
    assert told == {
        "worker, CPU s per million events": (8.0, True),
        "worker, times the limit": (2.0, False),
        "ordinary Faust agent, times the worker": (10.0, False),
        "memory after four times the events, times": (1.2, False),
    }
    assert checks([result(PLAIN, 8.0)])[0].passed
    assert checks([]) == []
    assert [check.passed for check in checks([result(BATCHES, 4.0)])] == [True]


@pytest.mark.parametrize(("most", "word", "bound"), [(True, "MISS", "at most 2"), (False, "PASS", "at least 2")])
def test_a_verdict_names_figure_and_target(most: bool, word: str, bound: str) -> None:
    line = verdict(Check("something", Spread(3.0, 2.5, 4.0), 2, most))
    assert line == f"{word}  something: 3.00 (2.50..4.00), target {bound}"


def test_the_table_has_pairs_and_records_of_the_join() -> None:
    lines = table([result(JOIN, 20.0), result(LIMIT, 4.0)])
    assert len(lines) == 4
    assert "4.00 (4.00..4.00) events" in lines[1]
    assert "20.00 (20.00..20.00) pairs" in lines[2]
    assert "10.00 (10.00..10.00) records" in lines[3]


def test_rounds_take_turns() -> None:
    order = [(number, variant.name) for number, variant in rounds([LIMIT, PLAIN, LONG], 2)]
    assert order == [(0, "limit"), (0, "plain"), (0, "long"), (1, "limit"), (1, "plain")]


def test_arguments() -> None:
    assert arguments([]).only == tuple(variant for variant in VARIANTS if not variant.extra)
    assert arguments(["--only", "plain,limit"]).only == (LIMIT, PLAIN)
    quick = arguments(["--quick"])
    assert (quick.runs, quick.events) == (1, 60_000)
    with pytest.raises(SystemExit):
        arguments(["--only", "plain,nothing"])
    with pytest.raises(argparse.ArgumentTypeError, match="no nothing"):
        variants("nothing")


def test_events_are_of_the_size_and_kind_that_is_promised() -> None:
    (rows,) = traffic.slices(ROWS, START_MS)
    records = list(traffic.single(rows))
    assert 340 <= sum(len(record.value) for record in records) / ROWS <= 370
    columns = decoded(records).runs[0].columns
    assert columns.size == ROWS
    assert len(columns.features) == 10
    assert all(column.values is None for column in columns.features.values())
    assert columns.probabilities is not None
    assert set(columns.segments) == {"channel", "region"}


def test_batches_hold_the_same_rows() -> None:
    (rows,) = traffic.slices(ROWS, START_MS)
    single, batch = decoded(traffic.single(rows)), decoded(traffic.batches(rows))
    assert single.rejects == batch.rejects == []
    assert single.times.tolist() == batch.times.tolist()
    assert single.runs[0].columns.ids == batch.runs[0].columns.ids


def test_labels_follow_their_predictions() -> None:
    (rows,) = traffic.slices(ROWS, START_MS)
    labels = [orjson.loads(record.value) for record in traffic.labels(rows)]
    assert [label["prediction_id"] for label in labels] == rows.ids
    assert all(label["timestamp"] > time for label, time in zip(labels, rows.times, strict=True))


def test_traffic_is_the_same_at_each_call() -> None:
    assert list(traffic.slices(ROWS, START_MS)) == list(traffic.slices(ROWS, START_MS))


def test_a_process_is_measured_and_ended(tmp_path: Path) -> None:
    code = "import time; sum(range(3_000_000)); print('done', flush=True); time.sleep(600)"
    with Process([sys.executable, "-c", code], tmp_path / "log") as process:
        process.until_it_says(b"done")
        sample = process.sample()
    assert 0 < sample.main_s <= sample.cpu_s
    assert 0 < sample.rss_mb <= sample.peak_mb

"""Corrected labels: windows keep what they counted, and cohorts come to what the last labels say."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.decoding.decode import PredictionDecoder
from app.drift.timeline import NOTHING
from app.joining.corrections import correction_runs
from app.joining.entries import Entry, Pair, Seen
from app.joining.layouts import Layouts
from app.joining.pairs import pair_runs
from app.segments import EVERYTHING
from app.settings import Settings
from app.statistics.totals import Totals, merged
from app.windowing.blocks import Block
from app.windowing.grouping import Group

SETTINGS = Settings()
NOW = 1_795_176_000_000
EARLY = np.iinfo(np.int64).min
Chain = list[tuple[int, Any]]  # time and value of the labels of one prediction, each correcting the one before


def entry(number: int, labels: Chain, *, watermark: int = EARLY, **changes: Any) -> Entry:
    share = 0.1 + number % 8 / 10
    record = {
        "prediction_id": f"p{number}",
        "model": "credit",
        "version": "1",
        "timestamp": NOW + number,
        "prediction": "yes" if share > 0.5 else "no",
        "probabilities": {"yes": share, "no": 1 - share},
        "segments": {"channel": "web" if number % 2 else "app"},
    }
    seen = [Seen(place, NOW + time, watermark, label) for place, (time, label) in enumerate(labels)]
    return Entry(number, NOW + number, watermark, orjson.dumps(record | changes), labels=seen)


def counted(pairs: Iterable[Pair], corrections: list[Pair], cuts: Iterable[int] = ()) -> Block:
    """A block in which the pairs came first, and then the corrections in chunks that end at `cuts`."""
    block = Block(("labels", 0), 0, SETTINGS, lambda model, version: NOTHING)
    decode = PredictionDecoder(SETTINGS).decode
    for run in pair_runs(list(pairs), decode, Layouts()):
        block.count_pairs(run)
    for start, stop in pairwise([0, *sorted({cut for cut in cuts if 0 < cut < len(corrections)}), len(corrections)]):
        for one in correction_runs(corrections[start:stop], decode, Layouts()):
            block.count_corrections(one)
    return block


def chains(entries: list[Entry]) -> tuple[list[Pair], list[Pair]]:
    """The pairs of the first labels, and all corrections, in the order of their places."""
    pairs = [Pair(row, one) for row, one in enumerate(entries)]
    corrections = [
        Pair(row, one, place)
        for place in range(1, max(len(one.labels) for one in entries))
        for row, one in enumerate(entries)
        if place < len(one.labels)
    ]
    return pairs, corrections


def cohort(block: Block, segment: Any = EVERYTHING) -> Totals:
    [groups] = [totals.groups for totals in block.versions.values()]
    return merged(totals for group, totals in sorted(groups.items()) if group.segment == segment)


def in_windows(block: Block) -> dict[Group, Totals]:
    [groups] = [totals.groups for totals in block.versions.values()]
    return {group: own for group, own in groups.items() if not (group.late or group.revises)}


labels = st.sampled_from(["yes", "no"])
timed = st.lists(st.tuples(st.integers(1, 90), labels), min_size=1, max_size=4).map(
    lambda chain: [(1000 * sum(step for step, _ in chain[: n + 1]), label) for n, (_, label) in enumerate(chain)]
)


@settings(max_examples=50, deadline=None)
@given(st.lists(timed, min_size=1, max_size=12), st.lists(st.integers(1, 30), max_size=4))
def test_a_cohort_comes_to_what_the_last_labels_say_however_they_were_cut(each: list[Chain], cuts: list[int]) -> None:
    entries = [entry(number, chain) for number, chain in enumerate(each)]
    pairs, corrections = chains(entries)
    whole, cut = counted(pairs, corrections), counted(pairs, corrections, cuts)
    assert [part.value for part in whole.parts(9)] == [part.value for part in cut.parts(9)]
    last = counted([Pair(row, entry(row, chain[-1:])) for row, chain in enumerate(each)], [])
    for segment in (EVERYTHING, (("channel", "app"),)):
        found, expected = cohort(whole, segment).metrics(60), cohort(last, segment).metrics(60)
        assert found.pop("labels_corrected") == sum(
            len(chain) - 1 for number, chain in enumerate(each) if segment == EVERYTHING or not number % 2
        )
        expected.pop("labels_corrected")
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("weight", [None, 1 / 0.3])
def test_a_regression_and_sampled_rows_come_to_the_last_labels_too(weight: float | None) -> None:
    about = {"prediction": 2.5, "probabilities": None, **({"weight": weight} if weight else {})}
    each: list[Chain] = [[(1000, 2.0), (2000, 4.0)], [(1000, 2.25)], [(1000, 1.0), (3000, 7.5), (4000, 2.0)]]
    pairs, corrections = chains([entry(number, chain, **about) for number, chain in enumerate(each)])
    last = counted([Pair(row, entry(row, chain[-1:], **about)) for row, chain in enumerate(each)], [])
    found, expected = cohort(counted(pairs, corrections)).metrics(60), cohort(last).metrics(60)
    assert (found.pop("labels_corrected"), expected.pop("labels_corrected")) == (3, 0)
    assert found == pytest.approx(expected, rel=1e-9)


def test_a_class_that_was_corrected_away_does_not_occur() -> None:
    pairs, corrections = chains([entry(0, [(1000, "maybe"), (2000, "no")]), entry(1, [(1000, "no")])])
    found = cohort(counted(pairs, corrections)).metrics(60)
    assert not [name for name in found if name.endswith("maybe")]
    assert (found["accuracy"], found["recall_macro"]) == (1, 1)


def test_windows_keep_the_first_label_and_count_the_correction_when_it_came() -> None:
    block = counted(*chains([entry(0, [(1000, "no"), (70_000, "yes")])]))
    figures = {group.pane - NOW: own.metrics(10) for group, own in in_windows(block).items() if not group.segment}
    assert sorted(figures) == [0, 70_000]
    assert (figures[0]["accuracy"], figures[0]["labels_corrected"]) == (1, 0)
    assert figures[70_000] == {"labels_corrected": 1}


def test_a_late_correction_is_in_its_cohort_only() -> None:
    block = counted([], [Pair(0, entry(0, [(1000, "no"), (2000, "yes")], watermark=NOW + 500_000), 1)])
    assert in_windows(block) == {}
    [totals] = block.versions.values()
    assert totals.late == 1
    assert {group.pane - NOW for group in totals.groups} == {500_000}


def test_a_prediction_that_failed_has_nothing_to_correct() -> None:
    failed = entry(0, [(1000, "no"), (2000, "yes")], prediction=None, error="timeout")
    assert counted([], [Pair(0, failed, 1)]).versions == {}

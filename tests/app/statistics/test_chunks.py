"""The same rows, however cut into chunks, give the same totals, bit for bit; merged parts are the whole."""

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.decoding.columns import ResourceColumns
from app.statistics.prepared import PreparedPairs, PreparedPredictions, update_resources
from app.statistics.totals import Totals, merged
from tests.app.statistics import made

ROWS = 60
GROUPS = 3
cuts = st.lists(st.integers(0, ROWS), max_size=6).map(lambda found: [0, *sorted(found), ROWS])
seeds = st.integers(0, 50)
quick = settings(max_examples=25, deadline=None)


def grouping(seed: int) -> Any:
    """The group of each row, some in none."""
    return np.random.default_rng(seed + 1).integers(-1, GROUPS, ROWS)


def predicted(seed: int, edges: list[int], task: str, based: bool, weighted: bool, limit: int = 1000) -> list[Totals]:
    columns, groups = made.predictions(ROWS, seed, task=task, weighted=weighted), grouping(seed)
    baseline = made.baseline(made.predictions(200, seed + 100, task=task)) if based else None
    members = [Totals() for _ in range(GROUPS)]
    for start, stop in pairwise(edges):
        PreparedPredictions(made.cut(columns, start, stop), baseline, 20, limit).update(members, groups[start:stop])
    return members


def paired(seed: int, edges: list[int], task: str, classes: int, weighted: bool) -> list[Totals]:
    columns, groups = made.pairs(ROWS, seed, task=task, classes=classes, weighted=weighted), grouping(seed)
    members = [Totals() for _ in range(GROUPS)]
    for start, stop in pairwise(edges):
        PreparedPairs(made.cut(columns, start, stop), None).update(members, groups[start:stop])
    return members


def bits(totals: list[Totals]) -> list[str]:
    return [json.dumps(one.state()) for one in totals]


@quick
@given(seeds, cuts, st.sampled_from(["classification", "regression"]), st.booleans(), st.booleans())
def test_cuts_of_predictions(seed: int, edges: list[int], task: str, based: bool, weighted: bool) -> None:
    whole = predicted(seed, [0, ROWS], task, based, weighted)
    assert bits(predicted(seed, edges, task, based, weighted)) == bits(whole)


@quick
@given(seeds, cuts, st.integers(1, 6))
def test_cuts_with_more_features_than_fit(seed: int, edges: list[int], limit: int) -> None:
    whole = predicted(seed, [0, ROWS], "classification", False, False, limit)
    assert bits(predicted(seed, edges, "classification", False, False, limit)) == bits(whole)


@quick
@given(seeds, cuts, st.integers(1, 3), st.booleans())
def test_cuts_of_classified_pairs(seed: int, edges: list[int], classes: int, weighted: bool) -> None:
    whole = paired(seed, [0, ROWS], "classification", classes, weighted)
    assert bits(paired(seed, edges, "classification", classes, weighted)) == bits(whole)


@quick
@given(seeds, cuts, st.booleans())
def test_cuts_of_regression_pairs(seed: int, edges: list[int], weighted: bool) -> None:
    whole = paired(seed, [0, ROWS], "regression", 3, weighted)
    assert bits(paired(seed, edges, "regression", 3, weighted)) == bits(whole)


@quick
@given(seeds, cuts)
def test_cuts_with_more_classes_than_fit(seed: int, edges: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for module in ("classification", "outputs"):
            patch.setattr(f"app.statistics.{module}.MAX_CLASSES", 2)
        assert bits(paired(seed, edges, "classification", 3, True)) == bits(
            paired(seed, [0, ROWS], "classification", 3, True)
        )
        assert bits(predicted(seed, edges, "classification", False, True)) == bits(
            predicted(seed, [0, ROWS], "classification", False, True)
        )


@quick
@given(seeds, cuts)
def test_cuts_of_resources(seed: int, edges: list[int]) -> None:
    rng = np.random.default_rng(seed)
    figures = np.where(rng.random((4, ROWS)) < 0.2, np.nan, rng.random((4, ROWS)))
    columns = ResourceColumns("m", "1", np.arange(ROWS), [f"i{i}" for i in rng.integers(0, 4, ROWS)], *figures)

    def run(edges: list[int]) -> list[Totals]:
        members = [Totals() for _ in range(GROUPS)]
        for start, stop in pairwise(edges):
            update_resources(members, grouping(seed)[start:stop], made.cut(columns, start, stop))
        return members

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.statistics.resources.MAX_INSTANCES", 2)
        assert bits(run(edges)) == bits(run([0, ROWS]))


@quick
@given(seeds, st.permutations(range(GROUPS)), st.booleans())
def test_unweighted_counts_merge_in_any_order(seed: int, order: list[int], based: bool) -> None:
    parts = predicted(seed, [0, ROWS], "classification", based, False)
    pairs = paired(seed, [0, ROWS], "classification", 2, False)

    def counted(totals: list[Totals]) -> Any:
        state = merged(totals).state()
        state["latency"].pop("total")
        state["labels"].pop("total")
        return {name: state[name] for name in ("traffic", "latency", "features", "labels")} | {
            "classes": state["outputs"]["classes"],
            "confusion": state["classification"]["confusion"],
        }

    assert counted([*parts, *pairs]) == counted([[*parts, *pairs][place] for place in [*order, 3, 5, 4]])


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("weighted", [False, True])
def test_merged_parts_are_the_whole(task: str, weighted: bool) -> None:
    columns, truth = (
        made.predictions(ROWS, 3, task=task, weighted=weighted),
        made.pairs(ROWS, 3, task=task, weighted=weighted),
    )
    reference = made.baseline(made.predictions(200, 4, task=task))

    def run(start: int, stop: int) -> Totals:
        totals, groups = Totals(), np.zeros(stop - start, np.int64)
        PreparedPredictions(made.cut(columns, start, stop), reference).update([totals], groups)
        PreparedPairs(made.cut(truth, start, stop), None).update([totals], groups)
        return totals

    whole, parts = run(0, ROWS), merged([run(0, 11), run(11, 12), run(12, 40), run(40, ROWS)])
    assert parts.metrics(60) == pytest.approx(whole.metrics(60), rel=1e-12)
    assert parts.data_quality(reference) == whole.data_quality(reference)
    assert parts.drift(reference) == whole.drift(reference) != {}
    assert parts.prediction_drift(reference) == whole.prediction_drift(reference) != {}


@pytest.mark.parametrize("based", [False, True])
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_state_round_trip(task: str, based: bool) -> None:
    for totals in predicted(1, [0, ROWS], task, based, True) + paired(1, [0, ROWS], task, 2, True):
        totals.late = 3
        state = json.loads(json.dumps(totals.state()))
        again = Totals.from_state(state)
        assert again.state() == totals.state() == state
        assert again.metrics(10) == totals.metrics(10) != {}
        again.merge(totals)
        assert again.predictions == 2 * totals.predictions
        assert again.label_count == 2 * totals.label_count


def test_nothing_seen_tells_nothing() -> None:
    totals = Totals()
    assert totals.state() == {}
    assert totals.metrics(60) == {}
    assert totals.data_quality(None) == totals.drift(None) == totals.prediction_drift(None) == totals.instances() == {}
    PreparedPredictions(made.predictions(5), None).update([totals], np.full(5, -1))
    assert totals.state() == {}
    totals.merge(Totals())
    assert Totals.from_state({}).state() == totals.state() == {}


def test_merging_leaves_the_other_as_it_is() -> None:
    (other, _, _), whole = predicted(2, [0, ROWS], "classification", True, True), Totals()
    before = bits([other])
    whole.merge(other)
    whole.merge(other)
    assert bits([other]) == before

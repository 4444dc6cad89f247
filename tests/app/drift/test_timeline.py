from dataclasses import replace

import pytest

from app.drift.baseline import Baseline
from app.drift.fitting import ReferenceData, fit
from app.drift.inheriting import inherit
from app.drift.timeline import KEPT, NOTHING, Timeline


def baseline(name: str, effective_from: int | None) -> Baseline:
    """One with an id of its own for each name."""
    data = ReferenceData({name: [1.0, 2.0]})
    return fit("m", "1", data, created_at=0, origin="file", effective_from=effective_from)


def heard(*baselines: Baseline) -> Timeline:
    timeline = NOTHING
    for one in baselines:
        timeline = timeline.heard(one)
    return timeline


ALWAYS, LATER, LAST = baseline("a", None), baseline("b", 60_000), baseline("c", 120_000)


@pytest.mark.parametrize(
    ("told", "spans"),
    [
        ([], [(0, None)]),
        ([ALWAYS], [(0, ALWAYS)]),
        ([LATER], [(0, None), (60_000, LATER)]),
        ([ALWAYS, LATER, LAST], [(0, ALWAYS), (60_000, LATER), (120_000, LAST)]),
        # What is told later holds from its own time on, instead of all that was to come then.
        ([LATER, LAST, ALWAYS], [(0, ALWAYS)]),
        ([ALWAYS, LAST, LATER], [(0, ALWAYS), (60_000, LATER)]),
        # A record that comes again changes nothing.
        ([ALWAYS, LATER, LATER], [(0, ALWAYS), (60_000, LATER)]),
    ],
)
def test_what_counts_when(told: list[Baseline], spans: list[tuple[int, Baseline | None]]) -> None:
    assert heard(*told).spans() == spans


def test_what_counts_from_some_pane_on() -> None:
    timeline = heard(ALWAYS, LATER, LAST)
    assert timeline.spans(60_000) == [(60_000, LATER), (120_000, LAST)]
    assert timeline.spans(500_000) == [(500_000, LAST)]


def test_only_the_newest_are_kept() -> None:
    many = heard(*[baseline(f"x{i}", i * 60_000) for i in range(10)])
    assert [one.effective_from for one in many.baselines] == [420_000, 480_000, 540_000]
    assert len(many.baselines) == KEPT


def test_an_inherited_baseline_says_so() -> None:
    first = baseline("a", None)
    own = inherit(first, "2", 5, 60_000)
    assert (own.origin, own.version, own.created_at, own.effective_from) == ("inherited", "2", 5, 60_000)
    assert own.features == first.features
    record = own.to_record()
    assert record["inherited"] == {"version": "1", "baseline_id": first.baseline_id}
    assert Baseline.from_record(record) == own
    assert own.baseline_id != first.baseline_id
    # Of what was inherited before, the first one is named.
    assert inherit(own, "3", 9, None).inherited == own.inherited
    with pytest.raises(ValueError, match="content"):
        Baseline.from_record(record | {"inherited": {"version": "0", "baseline_id": "x"}})


def test_the_id_is_not_that_of_the_time() -> None:
    assert replace(ALWAYS, effective_from=5, created_at=7).baseline_id == ALWAYS.baseline_id

"""Records in columns say what they said one by one, whatever offsets are missing."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.records import PORTION, Record, Records

SMALL = st.binary(max_size=3) | st.none()
HEADER = st.lists(st.tuples(st.text(max_size=2), SMALL), max_size=2).map(tuple)


@st.composite
def fetched(draw: st.DrawFn) -> list[Record]:
    steps = draw(st.lists(st.sampled_from([1, 1, 1, 1, 2, 700]), max_size=12))
    offsets = [draw(st.integers(0, 9))]
    for step in steps:
        offsets.append(offsets[-1] + step)
    return [Record(o, draw(st.integers(-1, 99)), draw(SMALL), draw(SMALL), draw(HEADER)) for o in offsets]


@given(fetched())
def test_each_record_is_as_it_was(records: list[Record]) -> None:
    found = Records.of(iter(records), 7)
    assert list(found) == records
    assert [found[place] for place in range(-1, len(records))] == [records[-1], *records]
    assert found.previous == 7


@given(fetched(), st.data())
def test_a_cut_has_the_same_records_and_knows_what_came_before(records: list[Record], data: st.DataObject) -> None:
    start, stop = sorted(data.draw(st.tuples(*[st.integers(0, len(records))] * 2)))
    cut = Records.of(records, 7)[start:stop]
    assert (list(cut), cut.previous) == (records[start:stop], 7)
    offset = data.draw(st.integers(0, records[-1].offset + 2))
    assert list(Records.of(records).since(offset)) == [one for one in records if one.offset >= offset]


@pytest.mark.parametrize("gap", [0, 1, PORTION - 1, PORTION, PORTION + 1, 3 * PORTION - 2, None])
def test_a_gap_is_seen_wherever_it_lies_among_thousands(gap: int | None) -> None:
    offsets = [place + (gap is not None and place > gap) for place in range(3 * PORTION)]
    found = Records.of(Record(offset, 1, None, b"{}") for offset in offsets).raw.offsets.tolist()
    assert found == offsets
    assert all(one < other for one, other in pairwise(found))


def test_nothing_fetched_is_no_records() -> None:
    assert not Records.of([])
    assert list(Records.of([])) == []

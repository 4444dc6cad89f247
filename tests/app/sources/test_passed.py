import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.sources.passed import Passed
from app.sources.watermarks import earlier_maximum


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 50), st.integers(1, 3)), max_size=30), st.none() | st.just(20))
def test_time_is_the_same_for_those_that_stay_as_if_none_had_been_sent_on(
    records: list[tuple[bool, int, int]], watermark: int | None
) -> None:
    offsets = np.repeat(np.arange(len(records)), [rows for _, _, rows in records]).astype(np.int64)
    stays = np.array([stays for stays, _, rows in records for _ in range(rows)], np.bool_)
    times = np.array([time + row for _, time, rows in records for row in range(rows)], np.int64)
    passed = Passed(offsets[~stays], times[~stays])
    expected = earlier_maximum(times, offsets, watermark)[stays]
    assert passed.earlier(times[stays], offsets[stays], watermark).tolist() == expected.tolist()


def test_times_up_to_a_record() -> None:
    passed = Passed(np.array([3, 3, 7]), np.array([100, 90, 200]))
    assert passed.upto(2).tolist() == []
    assert passed.upto(3).tolist() == [100, 90]
    assert passed.upto(7).tolist() == [100, 90, 200]

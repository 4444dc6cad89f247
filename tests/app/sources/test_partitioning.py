from aiokafka.partitioner import murmur2 as one_by_one
from hypothesis import given
from hypothesis import strategies as st

from app.sources.partitioning import elsewhere, partitions_of


@given(st.lists(st.binary(max_size=40), max_size=50), st.integers(1, 64))
def test_partitions_are_those_of_kafkas_default_partitioner(keys: list[bytes], partitions: int) -> None:
    expected = [(one_by_one(key) & 0x7FFFFFFF) % partitions for key in keys]
    assert partitions_of(keys, partitions).tolist() == expected


@given(st.lists(st.none() | st.binary(max_size=8), max_size=50), st.integers(1, 8))
def test_elsewhere_are_the_keys_of_other_partitions(keys: list[bytes | None], partitions: int) -> None:
    homes = {place: one_by_one(key) % 2**31 % partitions for place, key in enumerate(keys) if key is not None}
    places, where = elsewhere(keys, 0, partitions)
    assert dict(zip(places.tolist(), where.tolist(), strict=True)) == {p: home for p, home in homes.items() if home}

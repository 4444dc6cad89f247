from aiokafka.partitioner import murmur2 as one_by_one
from hypothesis import given
from hypothesis import strategies as st

from app.partitioning import partitions_of


@given(st.lists(st.binary(max_size=40), max_size=50), st.integers(1, 64))
def test_partitions_are_those_of_kafkas_default_partitioner(keys: list[bytes], partitions: int) -> None:
    expected = [(one_by_one(key) & 0x7FFFFFFF) % partitions for key in keys]
    assert partitions_of(keys, partitions).tolist() == expected

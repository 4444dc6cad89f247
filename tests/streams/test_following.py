"""A compacted partition is read as its rightful writer left it."""

from app.settings import Settings
from streams.following import POSITION, read_partition
from streams.outputs import Outputs

Written = tuple[bytes, bytes | None, int | None]  # key, value, position


async def written(broker: str, *records: Written) -> dict[bytes, bytes]:
    """What is read of partition 2 after these records, of which those of partition 1 are not to be seen."""
    settings = Settings(broker=broker)
    outputs = Outputs(settings)
    await outputs.start()
    await outputs.send_raw([("state", b"elsewhere", b"1")], 1)
    for key, value, position in records:
        headers = [] if position is None else [(POSITION, str(position).encode())]
        await outputs.send_raw([("state", key, value)], 2, headers)
    await outputs.stop()
    return await read_partition(settings, "state", 2)


async def test_the_last_value_of_each_key_holds(mock_broker: str) -> None:
    assert await written(mock_broker, (b"a", b"1", 5), (b"b", b"2", 5), (b"a", b"3", 5)) == {b"a": b"3", b"b": b"2"}


async def test_a_tombstone_removes_its_key(mock_broker: str) -> None:
    assert await written(mock_broker, (b"a", b"1", 5), (b"a", None, 6)) == {}


async def test_who_knew_less_can_not_write_over_who_knew_more(mock_broker: str) -> None:
    zombie: list[Written] = [(b"a", b"old", 70), (b"b", None, 70), (b"c", b"old", 70)]
    found = await written(mock_broker, (b"a", b"new", 90), (b"b", b"new", 90), (b"c", None, 90), *zombie)
    assert found == {b"a": b"new", b"b": b"new"}


async def test_values_of_before_there_were_positions_are_still_read(mock_broker: str) -> None:
    assert await written(mock_broker, (b"a", b"1", None), (b"a", b"2", None), (b"b", b"3", None), (b"b", b"4", 0)) == {
        b"a": b"2",
        b"b": b"4",
    }


async def test_an_empty_partition_has_nothing(mock_broker: str) -> None:
    assert await read_partition(Settings(broker=mock_broker), "state", 3) == {}

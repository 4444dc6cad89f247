import orjson
import pytest

from app.settings import Settings, WindowSettings
from streams.sources import Published, Source
from streams.ticks import Quiet, Ticks

NAME = ("predictions", 0)
NOW = 1_795_176_000_000


def ticks(at_end: bool | None, idle_after_s: float = 10) -> Ticks:
    return Ticks(WindowSettings(idle_after_s=idle_after_s), {"predictions": 1}, lambda name, position: at_end)


def source(watermark: int) -> Source:
    made = Source(NAME, 1, 5, watermark, Settings(), lambda model, version: None)
    made.published = Published(5, watermark, watermark)
    return made


def lines(tick: bytes | None) -> list[list[object]]:
    assert tick is not None
    found: list[list[object]] = orjson.loads(tick)["tick"]["sources"]
    return found


def test_a_partition_is_quiet_since_its_end_was_first_seen() -> None:
    quiet = Quiet()
    assert quiet.for_ms(NAME, True, 100.0) == 0
    assert quiet.for_ms(NAME, True, 112.5) == 12_500
    assert quiet.for_ms(NAME, False, 113.0) is None
    assert quiet.for_ms(NAME, True, 120.0) == 0


def test_a_source_tells_what_is_published_of_it() -> None:
    assert lines(ticks(False).tick({NAME: source(NOW)}, {NAME: Published(0, None)})) == [
        ["predictions", 0, 5, NOW, False]
    ]


@pytest.mark.parametrize("at_end", [False, None])
def test_a_partition_that_is_not_read_to_its_end_is_not_idle(at_end: bool | None) -> None:
    assert ticks(at_end, idle_after_s=0.001).tick({}, {NAME: Published(7, NOW)}) is None


def test_a_partition_that_is_quiet_long_enough_says_so_and_wakes_before_its_next_part() -> None:
    teller = ticks(True, idle_after_s=0.001)
    reader = source(NOW)
    while not teller.idle:
        told = lines(teller.tick({NAME: reader}, {NAME: Published(0, None)}))
    assert told[0][4] is True
    assert told[0][3] >= NOW  # type: ignore[operator]
    assert reader.watermark == told[0][3]
    assert lines(teller.awake(reader)) == [["predictions", 0, 5, NOW, False]]
    assert teller.awake(reader) is None

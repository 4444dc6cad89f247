import orjson
import pytest

from app.settings import WindowSettings
from app.sources.marks import Mark
from app.sources.progress import LastTick
from streams.sources import Published
from streams.ticks import Quiet, Ticks

NAME, OTHER = ("predictions", 0), ("predictions", 1)
NOW = 1_795_176_000_000
LIVE = Mark(NOW, NOW, NOW)


def ticks(at_end: bool | None, idle_after_s: float = 10, partitions: int = 1) -> Ticks:
    windows = WindowSettings(idle_after_s=idle_after_s)
    return Ticks(windows, {"predictions": partitions}, lambda name, position: at_end)


def idle(teller: Ticks, mark: Mark, told: dict[tuple[str, int], LastTick] | None = None) -> int | None:
    """To where an idle partition goes on, once it is found idle."""
    while not (found := teller.idle({NAME: Published(5, mark)}, told or {})):
        pass
    return found[NAME]


def lines(tick: bytes | None) -> list[list[object]]:
    assert tick is not None
    found: list[list[object]] = orjson.loads(tick)["tick"]["sources"]
    return found


def test_a_partition_is_quiet_since_its_end_was_first_seen() -> None:
    quiet = Quiet()
    assert quiet.for_ms(NAME, 5, True, 100.0) == 0
    assert quiet.for_ms(NAME, 5, True, 112.5) == 12_500
    assert quiet.for_ms(NAME, 5, False, 113.0) is None
    assert quiet.for_ms(NAME, 5, True, 120.0) == 0


def test_it_is_not_quiet_when_something_came_and_was_read_in_between() -> None:
    quiet = Quiet()
    assert quiet.for_ms(NAME, 5, True, 100.0) == 0
    assert quiet.for_ms(NAME, 6, True, 112.0) == 0
    assert quiet.for_ms(NAME, 6, True, 113.0) == 1000


def test_a_source_tells_what_is_published_of_it() -> None:
    assert lines(ticks(False).tick({NAME: Published(5, LIVE)}, {NAME}, {})) == [["predictions", 0, 5, NOW, False]]


def test_of_a_partition_that_was_not_read_yet_nothing_is_told() -> None:
    assert ticks(None).tick({NAME: Published(5, LIVE)}, set(), {}) is None


@pytest.mark.parametrize("at_end", [False, None])
def test_a_partition_that_is_not_read_to_its_end_is_not_idle(at_end: bool | None) -> None:
    assert ticks(at_end, idle_after_s=0.001).idle({NAME: Published(7, LIVE)}, {}) == {}


def test_an_idle_partition_goes_on_with_the_clock() -> None:
    goes_on = idle(ticks(True, idle_after_s=0.001), LIVE)
    assert goes_on is not None
    assert goes_on > NOW
    told = ticks(True).tick({NAME: Published(5, LIVE)}, set(), {NAME: goes_on})
    assert lines(told) == [["predictions", 0, 5, goes_on, True]]


def test_one_without_events_goes_on_as_far_as_the_others_said() -> None:
    teller = ticks(True, idle_after_s=0.001, partitions=2)
    assert idle(teller, Mark()) is None, "the other one may hold anything"
    assert idle(teller, Mark(), {OTHER: LastTick(9, NOW, False, 0)}) == NOW
    assert idle(teller, Mark(), {OTHER: LastTick(9, NOW, True, 0)}) == NOW
    assert idle(teller, Mark(NOW + 5), {OTHER: LastTick(9, NOW, False, 0)}) == NOW + 5

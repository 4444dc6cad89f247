import numpy as np

from app.drift.timeline import NOTHING
from app.settings import Settings, WindowSettings
from app.sources.marks import Mark, mark_of
from streams.records import Record, Records
from streams.sources import Source, quiet_watermark

SETTINGS = Settings(worker={"block_records": 8})
NOW = 1_795_176_000_000


def source(first: int = 0, mark: Mark | None = None) -> Source:
    return Source(("predictions", 0), 1, first, mark or Mark(), SETTINGS, lambda model, version: NOTHING)


def read(source: Source, upto: int, time: int) -> None:
    source.enter(source.next)
    source.advance(np.array([time]), upto, NOW, upto + 1 - source.next)


def floor(source: Source) -> tuple[int, int | None, list[tuple[int, int]]]:
    """Offset, watermark there, and the raises since."""
    offset, metadata = source.floor()
    mark = mark_of(metadata)
    return offset, mark.watermark, [tuple(raised) for raised in mark.raises]  # type: ignore[misc]


def restarted(reader: Source) -> Source:
    offset, metadata = reader.floor()
    return source(offset, mark_of(metadata))


def records(first: int, last: int) -> Records:
    return Records.of(Record(offset, NOW, None, b"{}") for offset in range(first, last + 1))


def test_the_floor_is_the_start_of_the_open_block_with_the_watermark_of_its_start() -> None:
    #  offsets   0 ......7 | 8 .....15 | 16
    #  times        100    |   200     | 300
    reader = source()
    read(reader, 7, 100)
    assert floor(reader) == (8, 100, [])
    read(reader, 12, 200)
    assert floor(reader) == (8, 100, [])
    read(reader, 15, 150)
    assert floor(reader) == (16, 200, [])


def test_a_restart_in_a_block_has_the_watermark_that_the_first_run_had_there() -> None:
    reader = source()
    read(reader, 7, 100)
    read(reader, 12, 200)
    again = restarted(reader)
    assert again.watermark == 100
    read(again, 12, 200)
    assert (again.watermark, again.floor()) == (reader.watermark, reader.floor())


def test_the_floor_never_passes_what_was_read() -> None:
    assert source(first=24).floor() == (24, "")
    reader = source(first=24)
    read(reader, 26, 5)
    assert floor(reader)[0] == 24


def test_what_was_raised_within_a_block_is_raised_there_again() -> None:
    #  offsets   8 .. 10 | 11 .. 12 | 13
    #  events      100   |    120   |
    #  raised           200        300
    reader = source(8)
    read(reader, 10, 100)
    reader.raise_to(150)
    reader.raise_to(200)
    read(reader, 12, 120)
    reader.raise_to(300)
    assert floor(reader) == (8, None, [(11, 200), (13, 300)])
    again = restarted(reader)
    seen = []
    for piece in again.pieces(records(8, 14)):
        seen.append((piece[0].offset, piece[-1].offset, again.watermark))
        read(again, piece[-1].offset, 100)
    assert seen == [(8, 10, None), (11, 12, 200), (13, 14, 300)]
    assert (again.watermark, floor(again)) == (300, floor(reader))


def test_a_replay_that_stops_where_it_was_raised_has_come_as_far() -> None:
    reader = source(8)
    read(reader, 10, 100)
    reader.raise_to(200)
    again = restarted(reader)
    assert [len(piece) for piece in again.pieces(records(8, 10))] == [3]
    read(again, 10, 100)
    assert again.watermark == 200


def test_a_gap_in_the_log_hides_no_raise() -> None:
    reader = source(8)
    read(reader, 10, 100)
    reader.raise_to(200)
    again = restarted(reader)
    read(again, 8, 100)
    assert [(piece[0].offset, again.watermark) for piece in again.pieces(records(12, 13))] == [(12, 200)]


def test_between_blocks_the_floor_itself_is_raised() -> None:
    reader = source(8)
    read(reader, 15, 100)
    reader.raise_to(200)
    assert floor(reader) == (16, 200, [])
    read(reader, 17, 150)
    assert floor(reader) == (16, 200, [])
    assert restarted(reader).watermark == 200


def test_a_partition_without_any_event_is_raised_at_its_start() -> None:
    reader = source()
    assert reader.floor_if_raised(200) != reader.floor()
    reader.raise_to(200)
    assert floor(reader) == (0, 200, [])
    read(reader, 2, 100)
    assert floor(reader) == (0, 200, [])


def test_what_the_floor_would_be_is_what_it_is_then() -> None:
    reader = source(8)
    for upto in (10, 15, 19):
        read(reader, upto, 100 * upto)
        would = reader.floor_if_raised(100 * upto + 50)
        reader.raise_to(100 * upto + 50)
        assert reader.floor() == would


def test_time_goes_on_while_live_traffic_is_quiet() -> None:
    windows = WindowSettings()
    assert quiet_watermark(Mark(NOW - 2000, NOW - 2000, NOW), 30_000, windows) == NOW + 28_000


def test_while_history_is_loaded_time_goes_on_to_the_end_of_the_last_window_only() -> None:
    windows = WindowSettings(tumbling_s=[60], allowed_lateness_s=5)
    old = NOW - 86_400_000 + 12_345
    end = old - old % 60_000 + 60_000
    raised = quiet_watermark(Mark(old, old, NOW), 3_600_000, windows)
    assert raised == end + 5_000
    assert quiet_watermark(Mark(raised, old, NOW), 3_600_000, windows) == raised, "and no further, whoever goes on"


def test_without_any_event_there_is_no_time() -> None:
    assert quiet_watermark(Mark(), 60_000, WindowSettings()) is None

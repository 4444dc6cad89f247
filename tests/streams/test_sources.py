import numpy as np

from app.settings import Settings, WindowSettings
from streams.sources import Published, Source, quiet_watermark, watermark_of

SETTINGS = Settings(worker={"block_records": 8})
NOW = 1_795_176_000_000


def source(first: int = 0, watermark: int | None = None) -> Source:
    return Source(("predictions", 0), 1, first, watermark, SETTINGS, lambda model, version: None)


def read(source: Source, upto: int, time: int) -> None:
    source.enter(source.next)
    source.advance(np.array([time]), upto, NOW, upto + 1 - source.next)


def test_the_floor_is_the_start_of_the_open_block_with_the_watermark_of_its_start() -> None:
    #  offsets   0 ......7 | 8 .....15 | 16
    #  times        100    |   200     | 300
    reader = source()
    read(reader, 7, 100)
    assert reader.floor() == (8, "100")
    read(reader, 12, 200)
    assert reader.floor() == (8, "100")
    read(reader, 15, 150)
    assert reader.floor() == (16, "200")


def test_a_restart_in_a_block_has_the_watermark_that_the_first_run_had_there() -> None:
    reader = source()
    read(reader, 7, 100)
    read(reader, 12, 200)
    offset, metadata = reader.floor()
    again = source(offset, watermark_of(metadata))
    read(again, 12, 200)
    assert (again.watermark, again.floor()) == (reader.watermark, reader.floor())


def test_the_floor_never_passes_what_was_read() -> None:
    assert source(first=24).floor() == (24, "")
    reader = source(first=24)
    read(reader, 26, 5)
    assert reader.floor() == (24, "")


def test_time_goes_on_while_live_traffic_is_quiet() -> None:
    windows = WindowSettings()
    assert quiet_watermark(Published(5, NOW - 2000, NOW), 30_000, windows) == NOW + 28_000


def test_while_history_is_loaded_time_goes_on_to_the_end_of_the_last_window_only() -> None:
    windows = WindowSettings(tumbling_s=[60], allowed_lateness_s=5)
    old = NOW - 86_400_000 + 12_345
    end = old - old % 60_000 + 60_000
    assert quiet_watermark(Published(5, old, NOW), 3_600_000, windows) == end + 5_000


def test_without_any_event_there_is_no_time() -> None:
    assert quiet_watermark(Published(0, None), 60_000, WindowSettings()) is None

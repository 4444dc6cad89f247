import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.joining.layouts import Layout
from streams.joins import (
    FORMAT,
    MOST_GENERATIONS,
    JoinStore,
    StoreLocked,
    UnknownFormat,
    open_store,
    set_aside,
)
from streams.rocks import Damaged

DAY = 86400.0
NOW = 1_795_176_000_000
DAY_MS = 86_400_000


def test_what_was_written_is_read_and_what_was_only_put_is_not(tmp_path: Path) -> None:
    store = JoinStore(tmp_path / "p-0", DAY)
    store.put([(b"a", b"1"), (b"b", b"2")])
    assert store.get([b"a", b"b"]) == [None, None]
    store.write("predictions", 17, NOW)
    assert store.get([b"b", b"c", b"a"]) == [b"2", None, b"1"]
    assert (store.next_offset("predictions"), store.next_offset("labels")) == (17, None)
    store.close()


def test_entries_and_offsets_survive_closing(tmp_path: Path) -> None:
    store = JoinStore(tmp_path / "p-0", DAY)
    store.put([(b"a", b"1")])
    store.write("labels", 3, NOW)
    store.close()
    again = JoinStore(tmp_path / "p-0", DAY)
    assert (again.get([b"a"]), again.next_offset("labels")) == ([b"1"], 3)
    again.close()


def test_an_id_can_be_any_text_and_meets_no_other_kind_of_key(tmp_path: Path) -> None:
    store = JoinStore(tmp_path / "p-0", DAY)
    store.put([(b"format", b"x"), (b"next:labels", b"y"), ("ü\x00".encode(), b"z")])
    store.write("predictions", 1, NOW)
    assert store.get([b"format", b"next:labels", "ü\x00".encode()]) == [b"x", b"y", b"z"]
    assert store.next_offset("labels") is None
    store.close()


WRITER = """
import os, signal, sys
from pathlib import Path
from streams.joins import JoinStore
store = JoinStore(Path(sys.argv[1]), 86400.0)
store.put([(b"a", b"1")])
store.write("predictions", 5, 1_795_176_000_000)
print("written", flush=True)
signal.pause()
"""


def test_a_killed_process_loses_nothing_and_a_living_one_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "p-0"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"written\n"
    with pytest.raises(StoreLocked, match="open in another process"):
        JoinStore(path, DAY, patience_s=0.2)
    os.kill(writer.pid, signal.SIGKILL)
    writer.communicate()
    store = JoinStore(path, DAY)
    assert (store.get([b"a"]), store.next_offset("predictions")) == ([b"1"], 5)
    store.close()


def held(store: JoinStore, *ids: bytes) -> list[bool]:
    return [entry is not None for entry in store.get(ids)]


def test_an_entry_is_kept_for_the_horizon_and_its_disk_is_free_soon_after(tmp_path: Path) -> None:
    #  watermark   0     1/2     1      3/2 horizons
    #              a------------- ...    x
    store = JoinStore(tmp_path / "p-0", DAY)
    start = NOW - NOW % (DAY_MS // 2)
    store.put([(b"a", b"1")])
    store.write("predictions", 1, start, alone=True)
    for offset, watermark in enumerate((start + DAY_MS // 2, start + DAY_MS, start + DAY_MS * 3 // 2 - 1)):
        store.put([(b"b", b"2")])
        store.write("predictions", 2 + offset, watermark, alone=True)
        assert held(store, b"a", b"b") == [True, True]
    store.write("predictions", 9, start + DAY_MS * 3 // 2, alone=True)
    assert held(store, b"a", b"b") == [False, True]
    store.close()


def test_the_side_that_is_behind_decides_what_is_old(tmp_path: Path) -> None:
    store = JoinStore(tmp_path / "p-0", DAY)
    store.put([(b"a", b"1")])
    store.write("labels", 1, NOW)
    store.write("predictions", 1, NOW + 3 * DAY_MS)
    assert held(store, b"a") == [True]
    store.write("labels", 2, NOW + 3 * DAY_MS)
    assert held(store, b"a") == [False]
    store.close()


def test_nothing_is_old_while_the_other_side_was_not_read_yet(tmp_path: Path) -> None:
    store = JoinStore(tmp_path / "p-0", DAY)
    store.put([(b"a", b"1")])
    store.write("predictions", 1, NOW)
    store.write("predictions", 2, NOW + 3 * DAY_MS)
    assert held(store, b"a") == [True]
    store.write("labels", 1, NOW + DAY_MS)
    assert held(store, b"a") == [True]
    store.close()
    #  Nor is it for the next process, whichever side that reads first.
    again = JoinStore(tmp_path / "p-0", DAY)
    again.write("predictions", 3, NOW + 3 * DAY_MS + 1)
    assert held(again, b"a") == [True]
    again.write("labels", 2, NOW + 3 * DAY_MS)
    assert held(again, b"a") == [False]
    again.close()


def test_a_side_that_was_not_read_for_very_long_is_left_behind_and_that_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store, given_up = JoinStore(tmp_path / "p-0", DAY), []
    for day in range(20):
        store.put((b"%d-%d" % (day, row), b"1") for row in range(5))
        given_up.append(store.write("predictions", 1 + day, NOW + day * DAY_MS))
    assert held(store, *(b"%d-0" % day for day in range(20))) == [day >= 20 - MOST_GENERATIONS for day in range(20)]
    assert given_up == [0] * MOST_GENERATIONS + [5] * (20 - MOST_GENERATIONS)
    assert caplog.text.count("About 5 entries are let go of") == 20 - MOST_GENERATIONS
    store.close()


def test_the_newest_of_several_generations_is_read(tmp_path: Path) -> None:
    store = JoinStore(tmp_path / "p-0", DAY)
    for entry, watermark in ((b"old", NOW), (b"new", NOW + DAY_MS)):
        store.put([(b"a", entry)])
        store.write("predictions", 1, watermark)
    assert store.get([b"a"]) == [b"new"]
    store.close()
    again = JoinStore(tmp_path / "p-0", DAY)
    assert again.get([b"a"]) == [b"new"]
    again.close()


REOPENED = """
import sys
from pathlib import Path
from streams.joins import JoinStore
import signal
store = JoinStore(Path(sys.argv[1]), 86400.0)
for batch in range(2):
    store.put([(b"%d-%d-%d" % (int(sys.argv[2]), batch, i), b"x" * 60) for i in range(2000)])
    store.write("labels", 1, 1_795_176_000_000)
print("written", flush=True)
signal.pause()
"""


def test_what_was_written_before_any_of_many_kills_is_there_after_compaction(tmp_path: Path) -> None:
    path = tmp_path / "p-0"
    for life in range(6):
        writer = subprocess.Popen([sys.executable, "-c", REOPENED, str(path), str(life)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"written\n"
        writer.kill()
        writer.communicate()
    store = JoinStore(path, DAY)
    for family in store._generations.values():
        family.compact_range(None, None)
    ids = [b"%d-%d-%d" % (life, batch, i) for life in range(6) for batch in range(2) for i in range(2000)]
    assert all(held(store, *ids))
    store.close()


def test_a_store_of_another_format_is_not_misread(tmp_path: Path) -> None:
    store = JoinStore(tmp_path / "p-0", DAY)
    store._db[b"format"] = b"1"
    store.close()
    with pytest.raises(UnknownFormat, match="another version"):
        JoinStore(tmp_path / "p-0", DAY)


def test_an_entry_written_by_the_side_that_is_behind_is_the_newest_all_the_same(tmp_path: Path) -> None:
    store = JoinStore(tmp_path / "p-0", DAY)
    store.put([(b"a", b"prediction")])
    store.write("predictions", 1, NOW + DAY_MS)
    store.put([(b"a", b"with its label")])
    store.write("labels", 1, NOW)
    assert store.get([b"a"]) == [b"with its label"]
    store.close()


def test_a_store_that_can_not_be_used_is_set_aside_for_an_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "p-0"
    store = JoinStore(path, DAY)
    store.put([(b"a", b"1")])
    store.write("labels", 3, NOW)
    store._db[b"format"] = b"1"
    store.close()
    fresh = open_store(path, DAY)
    assert (fresh.get([b"a"]), fresh.next_offset("labels")) == ([None], None)
    fresh.close()
    next(path.glob("MANIFEST-*")).write_bytes(b"\x00damaged" * 100)
    again = open_store(path, DAY)
    assert again.next_offset("labels") is None
    again.close()
    assert sorted(place.name for place in tmp_path.iterdir()) == ["p-0", "p-0.unusable"]


def test_whether_it_is_being_made_anew_is_remembered(tmp_path: Path) -> None:
    store = JoinStore(tmp_path / "p-0", DAY)
    assert not store.unfinished
    store.unfinished = True
    store.close()
    again = JoinStore(tmp_path / "p-0", DAY)
    assert again.unfinished
    again.unfinished = False
    assert not again.unfinished
    again.close()


LARGE = 10_000


def damage(path: Path) -> None:
    """Changes bytes of the first half of each large table: blocks of entries, not what is read at the opening."""
    for table in path.glob("*.sst"):
        size = table.stat().st_size
        with table.open("r+b") as file:
            for place in range(200, size // 2 if size > LARGE else 0, 50):
                file.seek(place)
                file.write(b"\xff\x00\xff")


def filled(path: Path) -> list[bytes]:
    """A store whose entries are in tables on the disk."""
    store = JoinStore(path, DAY)
    ids = [b"%d" % number for number in range(20_000)]
    store.put([(identity, os.urandom(100)) for identity in ids])
    store.write("predictions", 20_000, NOW)
    store.close()
    JoinStore(path, DAY).close()
    return ids


def test_a_block_that_is_damaged_is_told_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "p-0"
    ids = filled(path)
    damage(path)
    store = JoinStore(path, DAY)
    with pytest.raises(Damaged, match="p-0"):
        store.get(ids)
    store.close()
    set_aside(path, "a test damaged it")
    assert (tmp_path / "p-0.unusable").exists()
    fresh = open_store(path, DAY)
    assert fresh.get(ids[:1]) == [None]
    fresh.close()


def test_it_knows_its_owners_and_how_far_its_records_reach(tmp_path: Path) -> None:
    store = JoinStore(tmp_path / "p-0", DAY)
    assert (store.owners, store.reach("labels"), store.watermark("labels")) == ({}, 0, None)
    store.write("labels", 7, NOW)
    store.owners = {"labels": 5}
    store.reach_to("labels", 30)
    store.reach_to("predictions", 3)
    store.reach_to("labels", 20)
    store.close()
    again = JoinStore(tmp_path / "p-0", DAY)
    assert (again.owners, again.next_offset("labels"), again.watermark("labels")) == ({"labels": 5}, 7, NOW)
    assert (again.reach("labels"), again.reach("predictions")) == (30, 3)
    again.write("labels", 31, NOW + 1)
    assert (again.reach("labels"), again.watermark("labels")) == (31, NOW + 1)
    again.close()


def test_layouts_are_there_with_the_entries_that_need_them(tmp_path: Path) -> None:
    layout = Layout("credit", "1", "classification", ("income",), (), (), (), False)
    store = JoinStore(tmp_path / "p-0", DAY)
    marks = [store.layouts.mark(layout._replace(version=version)) for version in "12"]
    store.put([(b"a", b"1")])
    store.write("predictions", 1, NOW)
    late = store.layouts.mark(layout._replace(version="3"))
    store.close()
    again = JoinStore(tmp_path / "p-0", DAY)
    assert [again.layouts[mark].version for mark in marks if mark is not None] == ["1", "2"]
    assert again.layouts.unwritten == {}
    with pytest.raises(KeyError):
        again.layouts[late or b""]
    again.close()


def test_a_store_of_entries_in_json_only_is_read(tmp_path: Path) -> None:
    store = JoinStore(tmp_path / "p-0", DAY)
    store.put([(b"a", b"1")])
    store.write("predictions", 1, NOW)
    store._db[b"format"] = b"3"
    store.close()
    again = JoinStore(tmp_path / "p-0", DAY)
    assert again.get([b"a"]) == [b"1"]
    assert again._db[b"format"] == FORMAT
    again.close()

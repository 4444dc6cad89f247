import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from streams.joins import JoinStore, StoreLocked

DAY = 86400.0


def test_what_was_written_is_read_and_what_was_only_put_is_not(tmp_path: Path) -> None:
    store = JoinStore(tmp_path / "p-0", DAY)
    store.put([(b"a", b"1"), (b"b", b"2")])
    assert store.get([b"a", b"b"]) == [None, None]
    store.write("predictions", 17)
    assert store.get([b"b", b"c", b"a"]) == [b"2", None, b"1"]
    assert (store.next_offset("predictions"), store.next_offset("labels")) == (17, None)
    store.close()


def test_entries_and_offsets_survive_closing(tmp_path: Path) -> None:
    store = JoinStore(tmp_path / "p-0", DAY)
    store.put([(b"a", b"1")])
    store.write("labels", 3)
    store.close()
    again = JoinStore(tmp_path / "p-0", DAY)
    assert (again.get([b"a"]), again.next_offset("labels")) == ([b"1"], 3)
    again.close()


def test_an_id_can_be_any_text_and_meets_no_other_kind_of_key(tmp_path: Path) -> None:
    store = JoinStore(tmp_path / "p-0", DAY)
    store.put([(b"m:format", b"x"), (b"o:labels", b"y"), ("ü\x00".encode(), b"z")])
    store.write("predictions", 1)
    assert store.get([b"m:format", b"o:labels", "ü\x00".encode()]) == [b"x", b"y", b"z"]
    assert store.next_offset("labels") is None
    store.close()


WRITER = """
import os, signal, sys
from pathlib import Path
from streams.joins import JoinStore
store = JoinStore(Path(sys.argv[1]), 86400.0)
store.put([(b"a", b"1")])
store.write("predictions", 5)
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

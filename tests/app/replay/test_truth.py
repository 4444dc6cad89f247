"""A replayed file's windows are what numpy and scikit-learn compute from it."""

from pathlib import Path

import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from app.files.layout import Wishes
from app.settings import Settings
from tests.app.replay.made import by_columns, by_records
from tests.kafka.test_real_data import CASES, MINUTE, differs, key
from tests.real_data import case, expected

SETTINGS = Settings.model_validate({"windows": {"tumbling_s": [MINUTE / 1000], "hopping_s": []}})


@pytest.mark.parametrize("name", CASES)
def test_windows_are_those_of_the_file(name: str, tmp_path: Path) -> None:
    made = case(name)
    text, typed = tmp_path / "rows.csv", tmp_path / "rows.parquet"
    made.write(text)
    pq.write_table(pyarrow.csv.read_csv(text), typed)
    wishes = Wishes("real", task=made.task, segments=("channel",))  # type: ignore[arg-type]
    wanted = expected(made, MINUTE)
    for replayed in (by_records(text, wishes, SETTINGS), by_columns(typed, wishes, SETTINGS)):
        windows = {key(window): window for window in replayed.values("windows") if window["kind"] == "tumbling"}
        assert windows.keys() == wanted.keys()
        assert [f"{one} {text}" for one in wanted for text in differs(windows[one], wanted[one])] == []

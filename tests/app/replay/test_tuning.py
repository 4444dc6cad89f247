"""`--tune`: what each other budget gives is what a replay with that budget gives."""

from pathlib import Path

import numpy as np
import pytest

from app.files.layout import Wishes, lay_out
from app.files.parquet import ParquetTable
from app.replay.columns import ColumnReader
from app.replay.engine import Engine
from app.replay.history import History
from app.replay.table import TableReplay
from app.replay.tuning import Tuning
from app.settings import FalseAlarmSettings, Settings
from tests.app.replay.made import MINUTES, START, classified, write

ROWS = 12_000


# So few false alarms that no evidence of some thousand rows is enough.
NONE = 1e-300


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """In the last quarter the labels are drawn by lot."""
    columns = classified(ROWS, step_ms=50)
    random = np.random.default_rng(9)
    drawn = np.arange(ROWS) > ROWS * 3 // 4
    lot = np.where(random.random(ROWS) < 0.5, "yes", "no")
    columns["label"] = np.where(drawn, lot, np.array(columns["label"]))
    return write(tmp_path / "rows.parquet", columns)


def replayed(path: Path, settings: Settings, factors: tuple[float, ...] = ()) -> tuple[History, Tuning]:
    history = History()
    engine = Engine("credit", settings, history.take)
    tuning = Tuning(engine.monitor, settings, factors)
    table = ParquetTable(path)
    reader = ColumnReader(table, lay_out(table, Wishes("credit"), START, 1.0), settings)
    TableReplay(engine, reader, lambda mistake: None).run(table, lambda rows: None)
    return history, tuning


def test_each_budget_gives_what_a_replay_with_it_gives(file: Path) -> None:
    history, tuning = replayed(file, MINUTES, (NONE, 1, 1000))
    assert history.begun.total() > 0
    for alerts, other in tuning.histories.items():
        budget = FalseAlarmSettings(alerts=alerts, days=MINUTES.false_alarms.days)
        alone, _ = replayed(file, MINUTES.model_copy(update={"false_alarms": budget}))
        assert +other.begun == +alone.begun
    assert +tuning.histories[1].begun == +history.begun
    assert tuning.histories[NONE].begun.total() < history.begun.total(), (
        "silence at the file's end is all that it tells"
    )

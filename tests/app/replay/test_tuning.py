"""`--tune`: what each other budget gives is what a replay with that budget gives."""

from pathlib import Path

import numpy as np
import pytest

from app.files.parquet import ParquetTable
from app.layout import Wishes, lay_out
from app.replay.columns import ColumnReader
from app.replay.engine import Engine
from app.replay.history import History
from app.replay.table import TableReplay
from app.replay.tuning import Tuning
from app.settings import FalseAlarmSettings, Settings
from tests.app.replay.made import MINUTES, START, classified, write

ROWS = 12_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The last quarter goes wrong: labels are drawn by lot, one feature moves."""
    columns = classified(ROWS, step_ms=50)
    random = np.random.default_rng(9)
    late = np.arange(ROWS) > ROWS * 3 // 4
    columns["label"] = np.where(late, np.where(random.random(ROWS) < 0.5, "yes", "no"), np.array(columns["label"]))
    columns["x1"] = np.where(late, columns["x1"] + 2, columns["x1"])
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
    history, tuning = replayed(file, MINUTES, (0.01, 1, 1000))
    assert history.begun.total() > 0
    for alerts, other in tuning.histories.items():
        budget = FalseAlarmSettings(alerts=alerts, days=MINUTES.false_alarms.days)
        alone, _ = replayed(file, MINUTES.model_copy(update={"false_alarms": budget}))
        assert +other.begun == +alone.begun
    assert +tuning.histories[1].begun == +history.begun


def test_a_tighter_budget_tells_no_more(file: Path) -> None:
    _, tuning = replayed(file, MINUTES, (0.01, 1, 100))
    totals = [history.begun.total() for _, history in sorted(tuning.histories.items())]
    assert totals == sorted(totals)

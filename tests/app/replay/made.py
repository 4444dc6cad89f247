"""Files of predictions for replays, and both ways of replaying them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from app.drift.baseline import Baseline
from app.files import open_table
from app.files.layout import Wishes, kinds, lay_out
from app.files.ordering import in_time_order
from app.files.parquet import ParquetTable
from app.files.rows import read_events
from app.joining.layouts import Layouts
from app.messages import Message
from app.replay.columns import ColumnReader, unreadable
from app.replay.counts import Counts
from app.replay.engine import Engine
from app.replay.records import RecordReplay
from app.replay.table import TableReplay
from app.settings import Settings

START = 1_790_000_000_000
MINUTES = Settings.model_validate({"windows": {"pane_s": 30, "tumbling_s": [60], "hopping_s": [[300, 60]]}})


class MemoryStore:
    """A join's store that nothing outlives."""

    def __init__(self) -> None:
        self._entries: dict[bytes, bytes] = {}
        self.layouts = Layouts()

    def get(self, ids: Sequence[bytes]) -> list[bytes | None]:
        return [self._entries.get(one) for one in ids]

    def put(self, entries: Iterable[tuple[bytes, bytes]]) -> None:
        self._entries.update(entries)

    def write(self, topic: str, next_offset: int, watermark: int | None) -> None:
        pass


class Replayed:
    """What a replay published, and what it said of single rows."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.mistakes: list[tuple[int, str]] = []
        self.counts = Counts()

    def values(self, topic: str) -> list[dict[str, Any]]:
        return [message.value for message in self.messages if message.topic == topic]

    def windows(self) -> dict[str, dict[str, Any]]:
        return {window["window_id"]: window for window in self.values("windows")}


def by_columns(
    path: Path, wishes: Wishes, settings: Settings = MINUTES, given: Baseline | None = None, held_rows: int = 131_072
) -> Replayed:
    found = Replayed()
    engine = Engine(wishes.model, settings, found.messages.extend, given)
    table = ParquetTable(path)
    layout = lay_out(table, wishes, START, 100.0)
    assert unreadable(table, layout) is None
    reader = ColumnReader(table, layout, settings)
    replay = TableReplay(engine, reader, lambda mistake: found.mistakes.append((mistake.row, mistake.what)), held_rows)
    replay.run(table, lambda rows: None)
    found.counts = replay.counts
    return found


def by_records(path: Path, wishes: Wishes, settings: Settings = MINUTES, given: Baseline | None = None) -> Replayed:
    found = Replayed()
    engine = Engine(wishes.model, settings, found.messages.extend, given)
    table = open_table(path, kinds(wishes.task, wishes.segments))
    layout = lay_out(table, wishes, START, 100.0)
    events = []
    for read in read_events(table, layout):
        events += read.events
        found.mistakes += [(mistake.row, mistake.what) for mistake in read.mistakes]
    replay = RecordReplay(engine, MemoryStore(), lambda text: found.mistakes.append((0, text)))
    replay.run(in_time_order(events), lambda rows: None)
    found.counts = replay.counts
    return found


def classified(rows: int, seed: int = 1, step_ms: int = 40) -> dict[str, Any]:
    """Columns of a binary model with labels some seconds to minutes late, every tenth missing."""
    random = np.random.default_rng(seed)
    at = START + np.arange(rows) * step_ms
    share = random.random(rows)
    label = np.where(random.random(rows) < share, "yes", "no")
    known = at + (random.exponential(40_000, rows)).astype(np.int64)
    gone = random.random(rows) < 0.1
    features = {f"x{place}": random.normal(size=rows) for place in range(3)}
    features["x0"][random.random(rows) < 0.05] = np.nan
    return {
        "prediction_id": [f"id-{place}" for place in range(rows)],
        "timestamp": pa.array(at).cast(pa.timestamp("ms", "UTC")),
        "prediction": np.where(share > 0.5, "yes", "no"),
        "probability": share,
        "label": pa.array(np.where(gone, "", label)),
        "label_timestamp": pa.array(known, mask=gone),
        "latency_ms": random.lognormal(2, 0.5, rows),
        "channel": np.array(["web", "app", "shop"])[random.integers(0, 3, rows)],
        "region": pa.array(np.array(["north", "south"])[random.integers(0, 2, rows)]).dictionary_encode(),
        "member": random.random(rows) < 0.3,
        **features,
    }


def write(path: Path, columns: dict[str, Any]) -> Path:
    pq.write_table(pa.table(columns), path)
    return path

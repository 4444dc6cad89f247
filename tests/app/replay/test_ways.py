"""A file replayed as columns says what it says replayed as records, whatever is in it."""

from collections.abc import Callable
from math import isclose
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from app.files.layout import Wishes, lay_out
from app.files.parquet import ParquetTable
from app.replay.columns import ColumnReader, unreadable
from app.replay.order import distinct_ids, in_order
from app.settings import Settings
from tests.app.replay.made import MINUTES, START, Replayed, by_columns, by_records, classified, write

ROWS = 5000
Columns = dict[str, Any]
WISHES = Wishes("credit", segments=("region",))


def differences(one: Any, other: Any, place: str = "") -> list[str]:
    """Sums of floats depend on the order in which labels came; all else is equal."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            text
            for key in sorted(one.keys() | other.keys())
            for text in differences(one.get(key), other.get(key), f"{place}/{key}")
        ]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [text for own, its in zip(one, other, strict=True) for text in differences(own, its, f"{place}/")]
    if isinstance(one, float) and isinstance(other, float) and isclose(one, other, rel_tol=1e-9, abs_tol=1e-12):
        return []
    return [] if one == other else [f"{place}: {one} {other}"]


def same(one: Replayed, other: Replayed) -> None:
    assert one.windows().keys() == other.windows().keys()
    assert differences(one.windows(), other.windows()) == []
    assert differences(dict(enumerate(one.values("alerts"))), dict(enumerate(other.values("alerts")))) == []
    assert one.counts == other.counts


def as_it_is(columns: Columns) -> Columns:
    return columns


def failing(columns: Columns) -> Columns:
    """Every eighth prediction fails: half of these say nothing, the others something all the same."""
    place = np.arange(ROWS)
    error = np.where(place % 16 == 0, "timeout", np.where(place % 16 == 8, "late", ""))
    return columns | {"error": error, "prediction": pa.array(columns["prediction"], mask=place % 16 == 0)}


def weighted(columns: Columns) -> Columns:
    weight = np.where(np.arange(ROWS) % 3 == 0, np.nan, 1 + np.arange(ROWS) % 5)
    return columns | {"weight": weight}


def in_versions(columns: Columns) -> Columns:
    """A second version takes over slowly; some rows name none."""
    share = np.random.default_rng(5).random(ROWS)
    named = np.where(share < np.arange(ROWS) / ROWS, 2, 1)
    return columns | {"version": pa.array(named, mask=share > 0.95)}


def labelled_first(columns: Columns) -> Columns:
    """Half of the labels come before their prediction, a few in a window that is over."""
    known = np.array(columns["timestamp"].cast(pa.int64()))
    return columns | {"label_timestamp": known + np.where(np.arange(ROWS) % 2 == 0, -70_000, 5000)}


def at_once(columns: Columns) -> Columns:
    return {name: column for name, column in columns.items() if name != "label_timestamp"}


def timed_in_text(columns: Columns) -> Columns:
    text = columns["timestamp"].cast(pa.timestamp("us", "UTC")).to_pylist()
    return columns | {"timestamp": [moment.isoformat() for moment in text], "label_timestamp": [None] * ROWS}


def timed_in_seconds(columns: Columns) -> Columns:
    return columns | {"timestamp": np.array(columns["timestamp"].cast(pa.int64())) / 1000}


def untimed(columns: Columns) -> Columns:
    return {name: column for name, column in columns.items() if "timestamp" not in name}


def anonymous(columns: Columns) -> Columns:
    return {name: column for name, column in columns.items() if name != "prediction_id"}


def of_truth_values(columns: Columns) -> Columns:
    return columns | {
        "prediction": np.array(columns["prediction"]) == "yes",
        "label": pa.array(np.array(columns["label"]) == "yes", mask=np.arange(ROWS) % 7 == 0),
    }


def of_three_classes(columns: Columns) -> Columns:
    random = np.random.default_rng(4)
    shares = random.dirichlet([1, 1, 1], ROWS)
    columns = {name: column for name, column in columns.items() if name != "probability"}
    return columns | {
        "prediction": shares.argmax(axis=1),
        "label": random.integers(0, 3, ROWS).astype(np.float64),
        "probability_0": shares[:, 0],
        "probability_1": pa.array(shares[:, 1], mask=random.random(ROWS) < 0.02),
        "probability_2": shares[:, 2],
    }


def of_a_regression(columns: Columns) -> Columns:
    random = np.random.default_rng(6)
    truth = random.normal(size=ROWS)
    said = truth + random.normal(size=ROWS)
    columns = {name: column for name, column in columns.items() if name != "probability"}
    return columns | {"prediction": said, "label": np.where(random.random(ROWS) < 0.2, np.nan, truth)}


def of_many_kinds(columns: Columns) -> Columns:
    """Features of every type that there is."""
    place = np.arange(ROWS)
    return columns | {
        "count": pa.array(place % 9, mask=place % 10 == 0),
        "huge": pa.array(place + 2**60),
        "single": (place / 3).astype(np.float32),
        "day": pa.array(place % 40, pa.int32()).cast(pa.date32()),
        "since": columns["timestamp"].cast(pa.timestamp("ns")),
        "embedding": [[float(one % 5), 1.0] for one in place],
        "nothing": pa.nulls(ROWS),
        "empty": pa.array([None] * ROWS, pa.float64()),
        "comment": np.array(["", "good", "x" * 300])[place % 3],
        "price": pa.array(place % 100).cast(pa.decimal128(24, 2)),
    }


def mistaken(columns: Columns) -> Columns:
    """What single rows can't be."""
    place = np.arange(ROWS)
    share = np.where(place % 500 == 1, 1.5, columns["probability"])
    latency = np.where(place % 500 == 2, -1, np.where(place % 500 == 3, np.inf, columns["latency_ms"]))
    at = np.array(columns["timestamp"].cast(pa.int64()))
    return columns | {
        "probability": share,
        "latency_ms": latency,
        "x1": np.where(place % 500 == 4, np.inf, columns["x1"]),
        "prediction": pa.array(columns["prediction"], mask=place % 500 == 5),
        "timestamp": pa.array(np.where(place % 500 == 6, -5, at), mask=place % 500 == 7).cast(pa.timestamp("ms")),
        "region": np.where(place % 500 == 8, "x" * 300, np.array(columns["region"].to_pylist())),
        "weight": np.where(place % 500 == 9, 0.0, 1.0),
        "prediction_id": np.where(place % 500 == 10, "i" * 600, np.array(columns["prediction_id"])),
    }


@pytest.mark.parametrize(
    "change",
    [
        as_it_is,
        failing,
        weighted,
        in_versions,
        labelled_first,
        at_once,
        timed_in_text,
        timed_in_seconds,
        untimed,
        anonymous,
        of_truth_values,
        of_three_classes,
        of_a_regression,
        of_many_kinds,
        mistaken,
    ],
)
def test_both_ways_say_the_same(change: Callable[[Columns], Columns], tmp_path: Path) -> None:
    file = write(tmp_path / "rows.parquet", change(classified(ROWS)))
    wishes = Wishes("credit", task="classification") if change is of_three_classes else WISHES
    columns, records = by_columns(file, wishes), by_records(file, wishes)
    same(columns, records)
    assert columns.mistakes == records.mistakes
    assert bool(columns.mistakes) == (change is mistaken)
    assert columns.counts.predictions > ROWS * 0.97
    assert columns.counts.pairs > 0


def test_what_is_configured_holds_either_way(tmp_path: Path) -> None:
    """Long text, ranges, rules and the age of the data, of a model with few features."""
    model = {
        "text": ["comment"],
        "max_features": 6,
        "segments": ["region", "member"],
        "quality": {"ranges": {"x1": [-1, None]}, "rules": ["x1 >= x2"]},
    }
    settings = MINUTES.model_copy(update={"models": Settings.model_validate({"models": {"credit": model}}).models})
    columns = classified(ROWS)
    words = np.array(["all is well", "a long way " * 40, "Größe 7"])
    file = write(tmp_path / "rows.parquet", {"comment": words[np.arange(ROWS) % 3]} | columns)
    same(by_columns(file, WISHES, settings), by_records(file, WISHES, settings))


def test_labels_after_the_horizon_find_nothing(tmp_path: Path) -> None:
    settings = MINUTES.model_copy(update={"labels": Settings.model_validate({"labels": {"horizon_s": 60}}).labels})
    file = write(tmp_path / "rows.parquet", classified(ROWS))
    columns = by_columns(file, WISHES, settings)
    assert 0.6 < columns.counts.pairs / columns.counts.labels < 0.9
    # Which of the labels next to the horizon finds its prediction depends on the label before it.
    assert columns.counts.pairs == pytest.approx(by_records(file, WISHES, settings).counts.pairs, rel=0.01)


def test_a_model_without_a_join_has_no_pairs(tmp_path: Path) -> None:
    settings = Settings.model_validate({"models": {"credit": {"join": False}}})
    file = write(tmp_path / "rows.parquet", classified(ROWS))
    assert by_columns(file, WISHES, settings).counts.pairs == 0


def test_what_waits_on_disk_counts_as_what_waits_in_memory(tmp_path: Path) -> None:
    file = write(tmp_path / "rows.parquet", classified(ROWS))
    same(by_columns(file, WISHES), by_columns(file, WISHES, held_rows=700))


def test_a_file_is_looked_at_before_it_is_read_as_columns(tmp_path: Path) -> None:
    def looked_at(columns: Columns) -> tuple[bool, bool]:
        table = ParquetTable(write(tmp_path / "rows.parquet", columns))
        reader = ColumnReader(table, lay_out(table, WISHES, START, 1.0), Settings())
        return in_order(table, reader), distinct_ids(table, share=1000)

    columns = classified(ROWS)
    assert looked_at(columns) == (True, True)
    ids = columns["prediction_id"]
    assert looked_at(columns | {"prediction_id": [*ids[:-1], ids[0]]}) == (True, False)
    times = np.array(columns["timestamp"].cast(pa.int64()))
    times[[10, 4000]] = times[[4000, 10]]
    assert looked_at(columns | {"timestamp": times}) == (False, True)
    assert looked_at({name: column for name, column in columns.items() if name[-2:] not in ("id", "mp")}) == (
        True,
        True,
    )


def test_types_that_no_row_has_are_left_to_the_general_way(tmp_path: Path) -> None:
    def read_otherwise(columns: Columns) -> str | None:
        table = ParquetTable(write(tmp_path / "rows.parquet", columns))
        return unreadable(table, lay_out(table, WISHES, START, 1.0))

    columns = classified(ROWS)
    assert read_otherwise(columns) is None
    assert read_otherwise(columns | {"latency_ms": ["1.5"] * ROWS}) == "latency_ms"
    assert read_otherwise(columns | {"x0": [{"a": 1}] * ROWS}) == "x0"

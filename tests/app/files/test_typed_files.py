"""JSON lines and Parquet: the types are the file's own."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.files import Mistake, UnreadableFile, open_table


def test_json_lines_keep_their_types_and_their_gaps(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1, "b": null}\n\n{"a": "x", "c": [1, 2]}\n')
    table = open_table(path)
    (chunk,) = table.chunks()
    assert chunk.rows == [{"a": 1, "b": None}, {"a": "x", "c": [1, 2]}]
    assert chunk.numbers == [1, 3]
    assert (table.columns, table.size) == (["a", "b", "c"], 2)
    assert table.distinct(["a", "c"], 10) == {1, "x"}


def test_a_line_that_is_no_object_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"a": 1}\n{"a":\n[1]\n{"a": NaN}\n\xff\n{"a": 2}\n')
    table = open_table(path)
    (chunk,) = table.chunks()
    assert chunk.rows == [{"a": 1}, {"a": 2}]
    assert [mistake.row for mistake in chunk.mistakes] == [2, 3, 4, 5]
    assert chunk.mistakes[1] == Mistake(3, "no JSON object")
    assert table.size == 6


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    at = datetime(2026, 11, 20, 12, 0, 0, 123_456)
    columns = {
        "number": pa.array([1.5, None]),
        "text": pa.array(["x", None]).dictionary_encode(),
        "flag": pa.array([True, False]),
        "naive": pa.array([at, None], pa.timestamp("ns")),
        "zoned": pa.array([at, None], pa.timestamp("us", "Europe/Berlin")),
        "price": pa.array([Decimal("1.25"), None]),
        "day": pa.array([date(2026, 11, 20), None]),
        "vector": pa.array([[1.0, 2.0], None]),
    }
    pq.write_table(pa.table(columns), path)
    table = open_table(path)
    (chunk,) = table.chunks()
    cut = at.replace(microsecond=123_000, tzinfo=UTC)
    assert chunk.rows[0] == {
        "number": 1.5,
        "text": "x",
        "flag": True,
        "naive": cut,
        "zoned": cut,
        "price": 1.25,
        "day": date(2026, 11, 20),
        "vector": [1.0, 2.0],
    }
    assert set(chunk.rows[1].values()) == {None, False}
    assert (table.size, chunk.numbers) == (2, [1, 2])
    assert table.distinct(["text", "flag"], 10) == {"x", True, False}


def test_parquet_rows_are_numbered_over_all_chunks(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"a": list(range(2500))}), path, row_group_size=900)
    chunks = list(open_table(path).chunks())
    assert [number for chunk in chunks for number in chunk.numbers] == list(range(1, 2501))
    assert [row["a"] for chunk in chunks for row in chunk.rows] == list(range(2500))


def test_a_cut_parquet_file_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"a": list(range(1000))}), path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(UnreadableFile, match="no Parquet file") as error:
        open_table(path)
    assert len(str(error.value).splitlines()) == 1

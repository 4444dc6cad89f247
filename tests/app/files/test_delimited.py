"""CSV: the types of columns, the lines of rows, and what one bad row costs."""

import gzip
from pathlib import Path

import pytest

from app.files import Mistake, UnreadableFile, open_table
from app.files.cells import Tally, converter


def table(tmp_path: Path, text: str | bytes, name: str = "rows.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def rows(path: Path) -> list[dict[str, object]]:
    return [row for chunk in open_table(path).chunks() for row in chunk.rows]


def mistakes(path: Path) -> list[Mistake]:
    return [mistake for chunk in open_table(path).chunks() for mistake in chunk.mistakes]


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1", "2", "3"], [1, 2, 3]),
        (["1", "", "NA"], [1, None, None]),
        (["1", "2.5", "nan"], [1.0, 2.5, None]),
        (["1e3", " -.5 ", "+7"], [1000.0, -0.5, 7.0]),
        (["true", "FALSE", ""], [True, False, None]),
        (["north", "NA", ""], ["north", "NA", None]),
        (["2024_01", "2024_02"], ["2024_01", "2024_02"]),
        (["1", "2", "3", "4", "x"], [1, 2, 3, 4, "x"]),
        (["1", "2", "x", "y"], ["1", "2", "x", "y"]),
        (["1.5", "2", "3", "4_4", "5"], [1.5, 2.0, 3.0, "4_4", 5.0]),
        (["", "NA"], [None, None]),
    ],
)
def test_a_column_is_what_most_of_its_cells_are(cells: list[str], values: list[object]) -> None:
    tally = Tally()
    tally.add(cells)
    found = converter(tally.kind())(cells)
    assert found == values
    assert [type(value) for value in found] == [type(value) for value in values]


def test_the_whole_file_decides_however_it_is_cut(tmp_path: Path) -> None:
    cells = ["1"] * 3000 + ["2.5"] * 3000
    path = table(tmp_path, "x,y\n" + "".join(f"{cell},a\n" for cell in cells))
    values = [row["x"] for row in rows(path)]
    assert values == [1.0] * 3000 + [2.5] * 3000
    assert {type(value) for value in values} == {float}


def test_named_kinds_hold(tmp_path: Path) -> None:
    path = table(tmp_path, "id,share\n007,x\n008,0.5\n")
    kinds = {"id": "text", "share": "number"}
    chunks = list(open_table(path, kinds.get).chunks())  # type: ignore[arg-type]
    assert chunks[0].rows == [{"id": "007", "share": "x"}, {"id": "008", "share": 0.5}]


def test_rows_are_numbered_by_their_lines(tmp_path: Path) -> None:
    path = table(tmp_path, 'a,b\n1,"two\nlines"\n\n2,x\n')
    (chunk,) = open_table(path).chunks()
    assert chunk.numbers == [2, 5]
    assert [row["b"] for row in chunk.rows] == ["two\nlines", "x"]


def test_one_bad_row_costs_only_itself(tmp_path: Path) -> None:
    path = table(tmp_path, b"a,b\n1,x\n2\n3,y,z\n4,\xff\n5,w\n")
    assert rows(path) == [{"a": 1, "b": "x"}, {"a": 5, "b": "w"}]
    assert mistakes(path) == [
        Mistake(3, "1 cells, and the header has 2"),
        Mistake(4, "3 cells, and the header has 2"),
        Mistake(5, "not UTF-8"),
    ]
    assert open_table(path).size == 5


def test_a_quote_that_is_not_closed_is_found(tmp_path: Path) -> None:
    (mistake,) = mistakes(table(tmp_path, 'a,b\n1,x\n"2,y\n3,z\n'))
    assert mistake.row == 3
    assert "over 2 lines: is a quote not closed?" in mistake.what


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_that_of_the_header(tmp_path: Path, delimiter: str) -> None:
    path = table(tmp_path, f"\ufeffa{delimiter}b\r\n1{delimiter}x\r\n")
    assert rows(path) == [{"a": 1, "b": "x"}]


def test_packed_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress(b"a\n1\n"))
    assert rows(path) == [{"a": 1}]


def test_distinct_values_are_those_of_the_rows(tmp_path: Path) -> None:
    path = table(tmp_path, "p,l\n1,0\n0,\n1,1\n")
    assert open_table(path).distinct(["p", "l"], 100) == {0, 1}


@pytest.mark.parametrize(
    ("text", "name", "why"),
    [
        (b"", "rows.csv", "no header line"),
        (b"a,b,a\n", "rows.csv", "the header names 'a' twice"),
        ("a,b\n".encode("utf-16"), "rows.csv", "not UTF-8"),
        (b"a\n1\n", "rows.xlsx", "the name should end in one of .csv"),
        (gzip.compress(b"a\n" + b"1\n" * 999, mtime=0)[:-9], "rows.csv.gz", "end-of-stream"),
        (b"a\n", "rows.csv.gz", "Not a gzipped file"),
    ],
)
def test_a_file_that_is_none_is_one_line(tmp_path: Path, text: bytes, name: str, why: str) -> None:
    path = table(tmp_path, text, name)
    with pytest.raises(UnreadableFile) as error:
        open_table(path)
    assert why in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="No such file"):
        open_table(tmp_path / "none.csv")

from pathlib import Path

from app.drift.fitting import fit
from app.files import open_table
from app.files.layout import kinds
from app.files.reference_rows import ReferenceRows, read_reference


def read(path: Path, text: str, **options: int) -> ReferenceRows:
    path.write_text(text)
    return read_reference(open_table(path, kinds(None, ())), None, ("secret",), lambda rows: None, **options)


def test_columns_that_are_no_roles_are_features(tmp_path: Path) -> None:
    text = "prediction_id,timestamp,income,region,prediction,probability,secret\na,1,10,n,yes,0.5,x\nb,2,,s,no,0.5,y\n"
    rows = read(tmp_path / "a.csv", text)
    assert rows.data.features == {"income": [10.0, None], "region": ["n", "s"]}
    assert (rows.data.predictions, rows.rows, rows.mistakes) == (["yes", "no"], 2, [])


def test_a_mistaken_row_is_told_and_left_out(tmp_path: Path) -> None:
    rows = read(tmp_path / "a.csv", "income,region\n1,n\n2\n3,s\n")
    assert rows.data.features["income"] == [1.0, 3.0]
    assert len(rows.mistakes) == 1
    assert "a.csv:3" in rows.mistakes[0]


def test_of_many_rows_the_same_sample_is_taken_each_time(tmp_path: Path) -> None:
    text = "x\n" + "".join(f"{i}\n" for i in range(5000))
    first = read(tmp_path / "a.csv", text, most=200).data.features["x"]
    assert len(first) == 200
    assert first == sorted(first)
    assert read(tmp_path / "b.csv", text, most=200).data.features["x"] == first
    assert 2000 < sum(first) / 200 < 3000


def test_what_is_read_can_be_fitted(tmp_path: Path) -> None:
    rows = read(tmp_path / "a.csv", "x,c\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(100)))
    fitted = fit("m", "1", rows.data, created_at=0, origin="file")
    assert (fitted.size, sorted(fitted.features)) == (100, ["c", "x"])

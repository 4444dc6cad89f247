from pathlib import Path
from zipfile import ZipFile

import pytest

from app.training.artifact import NoArtifact, seal


def test_one_file_stays_as_it_is(tmp_path: Path) -> None:
    source = tmp_path / "artifact"
    source.mkdir()
    (source / "model.txt").write_bytes(b"trees")
    sealed = seal(source, tmp_path / "kept")
    assert (sealed.name, sealed.read_bytes()) == ("model.txt", b"trees")
    assert [path.name for path in sealed.parent.iterdir()] == ["model.txt"]


def test_several_files_become_one_that_depends_on_their_content_alone(tmp_path: Path) -> None:
    for name, order in (("one", (1, 2)), ("two", (2, 1))):
        for number in order:
            path = tmp_path / name / "deep" / f"{number}.bin"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes([number]))
    one, two = (seal(tmp_path / name, tmp_path / f"{name}-kept") for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    with ZipFile(one) as archive:
        assert archive.namelist() == ["deep/1.bin", "deep/2.bin"]


def test_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoArtifact, match="no file"):
        seal(tmp_path, tmp_path / "kept")

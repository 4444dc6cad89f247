"""What a trainer left behind as one file with one checksum."""

import hashlib
import shutil
import zipfile
from pathlib import Path


class NoArtifact(ValueError):
    """The trainer left no file."""


def seal(source: Path, directory: Path) -> Path:
    """The file in `directory` that holds all of `source`: its only file as it is, or several in one zip file.

    The zip file depends on names and content alone. Raises NoArtifact when `source` has no file.
    """
    files = sorted(path for path in source.rglob("*") if path.is_file())
    if not files:
        raise NoArtifact("the trainer left no file in the directory `artifact`")
    directory.mkdir(parents=True, exist_ok=True)
    sealed = directory / (files[0].name if len(files) == 1 else "artifact.zip")
    unfinished = sealed.with_name(f".{sealed.name}.part")
    if len(files) == 1:
        shutil.copyfile(files[0], unfinished)
    else:
        _zip(files, source, unfinished)
    unfinished.replace(sealed)
    return sealed


def _zip(files: list[Path], root: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.writestr(zipfile.ZipInfo(str(path.relative_to(root))), path.read_bytes(), zipfile.ZIP_DEFLATED)


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

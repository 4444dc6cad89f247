"""Configuration as a tree in which every value knows the place where it was written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

CONFIG_VARIABLE = "INFERWATCH_CONFIG"
DEFAULT_FILE = Path("inferwatch.yaml")
Keys = tuple[str | int, ...]


class ConfigurationError(Exception):
    """What is wrong with the configuration: one line for each mistake, with its place where it has one."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class Place(NamedTuple):
    """Somewhere in a file, counted from 1, or in an environment variable (line 0)."""

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


@dataclass
class Document:
    """`tree`: mappings, lists, text and None. `keys` and `values`: path -> the place where it was written."""

    source: str = "configuration"
    tree: Any = field(default_factory=dict)
    keys: dict[Keys, Place] = field(default_factory=dict)
    values: dict[Keys, Place] = field(default_factory=dict)

    def place(self, path: Keys, of_key: bool = False) -> Place:
        """Where `path` was written; where it was not, the nearest thing around it."""
        if of_key and path in self.keys:
            return self.keys[path]
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, Place(self.source))


def locate(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The file to read: `path`, else the one that INFERWATCH_CONFIG names, else `inferwatch.yaml` if it is there."""
    if path is not None:
        return path
    if named := environ.get(CONFIG_VARIABLE):
        return Path(named)
    return DEFAULT_FILE if DEFAULT_FILE.exists() else None


def dotted(path: Keys) -> str:
    """`("models", "credit", "rules", 0)` as `models.credit.rules[0]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or "the document"

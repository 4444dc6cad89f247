"""Configuration text as a tree in which every value knows its place: YAML nodes and environment variables.

Every scalar stays the text that was written (null apart), and the models of `app/settings.py` give it its type. So
`1.10` can be a version, `no` a class, `on` a key, and a variable's text means what the same text means in the file.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

PREFIX = "INFERWATCH_"
CONFIG_VARIABLE = "INFERWATCH_CONFIG"
DEFAULT_FILE = Path("inferwatch.yaml")
# Kubernetes sets such variables in every container for a Service whose name begins with "inferwatch".
SERVICE_LINK = re.compile(r"(.*_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)")
PLAIN_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "bool", "int", "float", "null", "timestamp", "value")
)
NULL, MAP, SEQ, MERGE = (f"tag:yaml.org,2002:{name}" for name in ("null", "map", "seq", "merge"))

Keys = tuple[str | int, ...]


class ConfigurationError(Exception):
    """What is wrong with the configuration: one line for each mistake, with its place where it has one."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


@dataclass
class Document:
    """`tree`: mappings, lists, text and None. `keys` and `values`: path -> place, like `inferwatch.yaml:6:5`."""

    source: str = "configuration"
    tree: Any = field(default_factory=dict)
    keys: dict[Keys, str] = field(default_factory=dict)
    values: dict[Keys, str] = field(default_factory=dict)

    def place(self, path: Keys, of_key: bool = False) -> str:
        """Where `path` was written; where it was not, the nearest thing around it."""
        if of_key and path in self.keys:
            return self.keys[path]
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, self.source)


def locate(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The file to read: `path`, else the one that INFERWATCH_CONFIG names, else `inferwatch.yaml` if it is there."""
    if path is not None:
        return path
    if named := environ.get(CONFIG_VARIABLE):
        return Path(named)
    return DEFAULT_FILE if DEFAULT_FILE.exists() else None


def read(path: Path) -> Document:
    """The YAML file as a document. Raises ConfigurationError for what can't be read, is no YAML or repeats a key."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise ConfigurationError(f"{path}: can't be read: {error.strerror}") from error
    return parse(text, str(path))


def parse(text: str, source: str) -> Document:
    """YAML `text` as a document; `source` names it in places."""
    document = Document(source)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise ConfigurationError(f"{_at(source, error.problem_mark)}: is no YAML: {_problem(error)}") from error
    except yaml.reader.ReaderError as error:
        raise ConfigurationError(f"{source}: is no YAML: the character {error.character!r} isn't allowed") from error
    mistakes: list[str] = []
    if node is not None:
        document.tree = _Reader(document, mistakes).build(node, (), frozenset())
    if mistakes:
        raise ConfigurationError(*mistakes)
    return document


def _at(source: str, mark: yaml.Mark | None) -> str:
    return source if mark is None else f"{source}:{mark.line + 1}:{mark.column + 1}"


def _problem(error: yaml.MarkedYAMLError) -> str:
    return ", ".join(part for part in (error.problem, error.context) if part) or "unreadable"


@dataclass
class _Reader:
    """Walks a node tree, notes the places and collects the mistakes."""

    document: Document
    mistakes: list[str]

    def build(self, node: yaml.Node, path: Keys, around: frozenset[int]) -> Any:
        self.document.values.setdefault(path, self.at(node))
        if id(node) in around:
            self.mistakes.append(f"{self.at(node)}: {dotted(path)}: refers to itself")
            return None
        if isinstance(node, yaml.MappingNode) and node.tag == MAP:
            return self.mapping(node, path, around | {id(node)})
        if isinstance(node, yaml.SequenceNode) and node.tag == SEQ:
            return [self.build(item, (*path, i), around | {id(node)}) for i, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode) and node.tag in PLAIN_TAGS:
            return None if node.tag == NULL else str(node.value)
        self.mistakes.append(f"{self.at(node)}: {dotted(path)}: the tag {node.tag!r} isn't allowed")
        return None

    def mapping(self, node: yaml.MappingNode, path: Keys, around: frozenset[int]) -> dict[str, Any]:
        tree: dict[str, Any] = {}
        merged: list[yaml.Node] = []
        for key, value in node.value:
            if key.tag == MERGE:
                merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
            elif not isinstance(key, yaml.ScalarNode):
                self.mistakes.append(f"{self.at(key)}: {dotted(path)}: a key must be plain text")
            elif key.value in tree:
                first = self.document.keys[(*path, key.value)].removeprefix(f"{self.document.source}:")
                self.mistakes.append(f"{self.at(key)}: {dotted((*path, key.value))}: is here twice (first at {first})")
            else:
                self.document.keys[(*path, key.value)] = self.at(key)
                tree[key.value] = self.build(value, (*path, key.value), around)
        for other in merged:
            tree = self.merge(other, path, around) | tree
        return tree

    def merge(self, node: yaml.Node, path: Keys, around: frozenset[int]) -> dict[str, Any]:
        if isinstance(node, yaml.MappingNode) and id(node) not in around:
            return self.mapping(node, path, around | {id(node)})
        self.mistakes.append(f"{self.at(node)}: {dotted(path)}: << needs a mapping")
        return {}

    def at(self, node: yaml.Node) -> str:
        return _at(self.document.source, node.start_mark)


def overlay(document: Document, environ: Mapping[str, str]) -> None:
    """Puts the INFERWATCH_* variables over the document; `__` goes one level down, and [..] and {..} are YAML."""
    if document.tree is None:
        document.tree = {}
    for name, text in _variables(environ):
        if not isinstance(document.tree, dict):
            return
        part = parse(text, name) if text[:1] in ("[", "{") else Document(name, text)
        _put(document, name, name.removeprefix(PREFIX).split("__"), part.tree)


def _variables(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, text in sorted(environ.items()):
        if (
            name.startswith(PREFIX)
            and name != CONFIG_VARIABLE
            and not SERVICE_LINK.fullmatch(name.removeprefix(PREFIX))
        ):
            yield name, text


def _put(document: Document, name: str, parts: list[str], value: Any) -> None:
    """Sets one value; a name that the file has in another case is that one (`MODELS__CREDIT` is `models: Credit`)."""
    tree = document.tree
    path: Keys = ()
    for i, part in enumerate(parts):
        key = next((known for known in tree if known.lower() == part.lower()), part.lower())
        path = (*path, key)
        if i == len(parts) - 1:
            tree[key] = value
        elif not isinstance(tree.get(key), dict):
            tree[key] = {}
        tree = tree[key]
    _forget(document, path)
    document.keys[path] = document.values[path] = name


def _forget(document: Document, path: Keys) -> None:
    for places in (document.keys, document.values):
        for old in [old for old in places if old[: len(path)] == path]:
            del places[old]


def dotted(path: Keys) -> str:
    """`("models", "credit", "rules", 0)` as `models.credit.rules[0]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or "the document"

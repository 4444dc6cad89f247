"""YAML as a tree of text: every scalar stays as it was written, null apart, and has its place.

The models of `app/settings.py` give it its type. So `1.10` can be a version, `no` a class and `on` a key.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from app.config.configuration import ConfigurationError, Document, Keys, Place, dotted

PLAIN_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "bool", "int", "float", "null", "timestamp", "value")
)
NULL, MAP, SEQ, MERGE = (f"tag:yaml.org,2002:{name}" for name in ("null", "map", "seq", "merge"))


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
        raise ConfigurationError(f"{source}: is no YAML: {_shown(error.character)} isn't allowed") from error
    mistakes: list[str] = []
    if node is not None:
        document.tree = _Reader(document, mistakes).build(node, (), frozenset())
    if mistakes:
        raise ConfigurationError(*mistakes)
    return document


def _shown(character: int | str) -> str:
    return repr(chr(character) if isinstance(character, int) else character)


def _at(source: str, mark: yaml.Mark | None) -> Place:
    return Place(source) if mark is None else Place(source, mark.line + 1, mark.column + 1)


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
                first = self.document.keys[(*path, key.value)]
                twice = f"is here twice (first in line {first.line})"
                self.mistakes.append(f"{self.at(key)}: {dotted((*path, key.value))}: {twice}")
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

    def at(self, node: yaml.Node) -> Place:
        return _at(self.document.source, node.start_mark)

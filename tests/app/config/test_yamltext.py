"""YAML as a tree of text with places."""

from pathlib import Path

import pytest

from app.config.configuration import ConfigurationError
from app.config.yamltext import parse, read


def mistakes(text: str) -> str:
    with pytest.raises(ConfigurationError) as raised:
        parse(text, "a.yaml")
    return str(raised.value)


def test_scalars_stay_what_was_written() -> None:
    text = "{version: 1.10, no: no, on: [on, 0x10, 2026-11-20, 1e3], quoted: 'null', empty: , null: ~}"
    assert parse(text, "a").tree == {
        "version": "1.10",
        "no": "no",
        "on": ["on", "0x10", "2026-11-20", "1e3"],
        "quoted": "null",
        "empty": None,
        "null": None,
    }


def test_every_key_and_value_has_its_place() -> None:
    document = parse("a:\n  - b: 1\n    c: 2\n", "a.yaml")
    assert str(document.place(("a", 0, "c"))) == "a.yaml:3:8"
    assert str(document.place(("a", 0, "c"), of_key=True)) == "a.yaml:3:5"
    assert str(document.place(("a", 0, "missing", "deeper"))) == "a.yaml:2:5"


def test_shared_parts() -> None:
    document = parse("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {<<: [{x: 9}, *a]}\nd: *a", "a.yaml")
    assert document.tree == {
        "a": {"x": "1", "y": "2"},
        "b": {"x": "1", "y": "3"},
        "c": {"x": "9", "y": "2"},
        "d": {"x": "1", "y": "2"},
    }
    assert str(document.place(("b", "y"))) == "a.yaml:2:16"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "a.yaml:1:6: is no YAML: expected ',' or ']', but got '<stream end>', while parsing a flow sequence"),
        ("a: 1\n\tb: 2", "a.yaml:2:1: is no YAML: found character '\\t' that cannot start any token"),
        ("a: *b", "a.yaml:1:4: is no YAML: found undefined alias 'b'"),
        ("a: 1\n---\nb: 2", "a.yaml:2:1: is no YAML: but found another document"),
        ("a: '\x01'", "a.yaml: is no YAML: '\\x01' isn't allowed"),
        ("a: {b: 1}\nc: 2\na: 3", "a.yaml:3:1: a: is here twice (first in line 1)"),
        ("a: {b: {c: 1, c: 1}}", "a.yaml:1:15: a.b.c: is here twice (first in line 1)"),
        ("a: &a {x: [*a]}", "a.yaml:1:4: a.x[0]: refers to itself"),
        ("a: &a {<<: *a}", "a.yaml:1:4: a: << needs a mapping"),
        ("a: {<<: 3}", "a.yaml:1:9: a: << needs a mapping"),
        ("[a]: 1", "a.yaml:1:1: the document: a key must be plain text"),
        (
            "a: !!python/name:os.system x",
            "a.yaml:1:4: a: the tag 'tag:yaml.org,2002:python/name:os.system' isn't allowed",
        ),
        ("a: !!binary eA==", "a.yaml:1:4: a: the tag 'tag:yaml.org,2002:binary' isn't allowed"),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    assert mistakes(text).startswith(message)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"a: \xff")
    for path, message in (
        (tmp_path / "none.yaml", "can't be read: No such file or directory"),
        (tmp_path, "can't be read: Is a directory"),
        (binary, "is not UTF-8 text (byte 3)"),
    ):
        with pytest.raises(ConfigurationError) as raised:
            read(path)
        assert str(raised.value) == f"{path}: {message}"


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1")
    assert read(path).tree == {"a": "1"}

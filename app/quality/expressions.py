"""Consistency rules as text: ``income >= 0``, ``country in ["DE", "FR"] or total == net + tax``.

Lark reads them by the grammar below into a tree of our own nodes. Nothing of a rule is ever run as Python.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import FeatureColumn
from app.quality.nodes import (
    Arithmetic,
    Chain,
    Feature,
    Junction,
    Literal,
    Member,
    Missing,
    Negation,
    Node,
    Rows,
    truth,
)

LONGEST = 1000
# Each sign, `not` or parenthesis can be one more level of calls within each other.
MOST_SIGNS = 100
GRAMMAR = r"""
?start: either
?either: both | both (("or" | "||") both)+
?both: not | not (("and" | "&&") not)+
?not: ("not" | "!") not -> negation | relation
?relation: sum | sum (COMPARISON sum)+ -> chain | sum "in" list -> member | sum "not" "in" list -> outsider
?sum: product | sum SIGN product -> arithmetic
?product: signed | product FACTOR signed -> arithmetic
?signed: SIGN signed -> minus | atom
?atom: literal | "null" -> null | NAME -> feature | QUOTED -> quoted | "(" either ")"
?literal: NUMBER -> number | TEXT -> text | "true" -> true | "false" -> false
list: "[" item ("," item)* ","? "]"
?item: literal | SIGN NUMBER -> signed_number

COMPARISON: /[<>]=?|[=!]=/
SIGN: /[+-]/
FACTOR: /[*\/]/
NAME: /[^\W\d]\w*(\.\w+)*/
QUOTED: /`[^`]+`/
NUMBER: /(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?/
TEXT: /"(\\.|[^"\\])*"|'(\\.|[^'\\])*'/
%ignore /\s+/
"""


class RuleMistake(ValueError):
    """Why a text is no rule."""


class Expression:
    """A rule that was read. `features`: those that it names."""

    __slots__ = ("_node", "features", "text")

    def __init__(self, text: str, node: Node) -> None:
        self.text = text
        self._node = node
        self.features = frozenset(node.names())

    def over(self, features: Mapping[str, FeatureColumn], size: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """(n,) where it can be told, and where it is broken."""
        found = truth(self._node, Rows(features, size))
        return ~np.isnan(found), found == 0


def parse(text: str) -> Expression:
    """Raises RuleMistake with what is wrong and where."""
    if len(text) > LONGEST:
        raise RuleMistake(f"is longer than {LONGEST} characters")
    if len(re.findall(r"[-+*/!(]|not", text)) > MOST_SIGNS:
        raise RuleMistake(f"has more than {MOST_SIGNS} signs and parentheses")
    node = _condition(_tree(text))
    expression = Expression(text, node)
    if not expression.features:
        raise RuleMistake("names no feature")
    return expression


@cache
def _parser() -> Any:
    from lark import Lark  # takes a tenth of a second, and most configurations have no rules

    return Lark(GRAMMAR, parser="lalr")


def _tree(text: str) -> Any:
    from lark import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

    try:
        return _parser().parse(text)
    except UnexpectedCharacters as error:
        raise RuleMistake(f"{text!r} can't be read from {error.char!r} on (character {error.column})") from error
    except UnexpectedToken as error:
        if error.token.type == "$END":
            raise RuleMistake(f"{text!r} ends too soon") from error
        raise RuleMistake(f"{text!r} can't be read from {error.token!s} on (character {error.column})") from error
    except UnexpectedInput as error:
        raise RuleMistake(f"{text!r} can't be read") from error


def _condition(tree: Any) -> Node:
    node = _node(tree)
    if not node.condition:
        raise RuleMistake("should be a condition, like income >= 0")
    return node


def _value(tree: Any) -> Node:
    node = _node(tree)
    if not node.value:
        raise RuleMistake("compares or calculates with a condition, not with a value")
    return node


def _number(tree: Any) -> Node:
    node = _value(tree)
    if isinstance(node, Literal) and not isinstance(node.content, float):
        raise RuleMistake(f"calculates with {node.content!r}, which is no number")
    return node


def _node(tree: Any) -> Node:
    parts: Sequence[Any] = tree.children
    match tree.data:
        case "either" | "both":
            return Junction(tuple(map(_condition, parts)), all=tree.data == "both")
        case "negation":
            return Negation(_condition(parts[0]))
        case "chain":
            return _chain(parts)
        case "member":
            return _member(*parts)
        case "outsider":
            return Negation(_member(*parts))
        case "arithmetic":
            return Arithmetic(_number(parts[0]), str(parts[1]), _number(parts[2]))
        case "minus":
            return Arithmetic(Literal(0.0), str(parts[0]), _number(parts[1]))
        case "feature":
            return Feature(str(parts[0]))
        case "quoted":
            return Feature(str(parts[0])[1:-1])
        case "null":
            raise RuleMistake("null can only be compared with a feature by == or !=")
        case _:
            return Literal(_content(tree))


def _content(tree: Any) -> float | str | bool:
    if tree.data in ("true", "false"):
        return bool(tree.data == "true")
    written = "".join(map(str, tree.children))
    return re.sub(r"\\(.)", r"\1", written[1:-1]) if tree.data == "text" else float(written)


def _chain(parts: Sequence[Any]) -> Node:
    signs = tuple(map(str, parts[1::2]))
    nulls = [part.data == "null" for part in parts[::2]]
    if any(nulls):
        others = [part for part, null in zip(parts[::2], nulls, strict=True) if not null]
        feature = _node(others[0]) if len(parts) == 3 and others else None
        if not isinstance(feature, Feature) or signs[0] not in ("==", "!="):
            raise RuleMistake("null can only be compared with a feature by == or !=")
        return Missing(feature.name) if signs[0] == "==" else Negation(Missing(feature.name))
    return Chain(tuple(map(_value, parts[::2])), signs)


def _member(operand: Any, listed: Any) -> Node:
    contents = [_content(item) for item in listed.children]
    texts = frozenset(content for content in contents if isinstance(content, str))
    return Member(_value(operand), tuple(float(c) for c in contents if not isinstance(c, str)), texts)

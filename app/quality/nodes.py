"""What a consistency rule is made of, each part worked out over all rows of a chunk at once."""

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, Protocol

from app.decoding.columns import FeatureColumn, Floats
from app.quality import values
from app.quality.values import Values

COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


@dataclass(frozen=True, slots=True)
class Rows:
    """The features of `size` rows."""

    features: Mapping[str, FeatureColumn]
    size: int


class Node(Protocol):
    """`condition`: whether it is true or false. A feature may be."""

    @property
    def condition(self) -> bool: ...
    @property
    def value(self) -> bool: ...
    def names(self) -> Iterator[str]: ...
    def over(self, rows: Rows) -> Values: ...


@dataclass(frozen=True, slots=True)
class Feature:
    name: str
    condition = True
    value = True

    def names(self) -> Iterator[str]:
        yield self.name

    def over(self, rows: Rows) -> Values:
        return values.of_feature(rows.features.get(self.name), rows.size)


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, a text, true or false."""

    content: float | str | bool
    value = True

    @property
    def condition(self) -> bool:
        return isinstance(self.content, bool)

    def names(self) -> Iterator[str]:
        return iter(())

    def over(self, rows: Rows) -> Values:
        if isinstance(self.content, str):
            return values.of_text(self.content, rows.size)
        return values.of_number(float(self.content), rows.size)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    left: Node
    sign: str
    right: Node
    condition = False
    value = True

    def names(self) -> Iterator[str]:
        yield from self.left.names()
        yield from self.right.names()

    def over(self, rows: Rows) -> Values:
        return values.calculated(self.left.over(rows), ARITHMETIC[self.sign], self.right.over(rows))


@dataclass(frozen=True, slots=True)
class Chain:
    """``0 <= x < y``: each comparison of two neighbours holds."""

    operands: tuple[Node, ...]
    signs: tuple[str, ...]
    condition = True
    value = False

    def names(self) -> Iterator[str]:
        for operand in self.operands:
            yield from operand.names()

    def over(self, rows: Rows) -> Values:
        found = [operand.over(rows) for operand in self.operands]
        links = zip(found, self.signs, found[1:], strict=False)
        return Values(reduce(values.both, (values.compared(a, COMPARISONS[s], b) for a, s, b in links)))


@dataclass(frozen=True, slots=True)
class Member:
    """Whether a value is one of a list."""

    operand: Node
    numbers: tuple[float, ...]
    texts: frozenset[str]
    condition = True
    value = False

    def names(self) -> Iterator[str]:
        return self.operand.names()

    def over(self, rows: Rows) -> Values:
        return Values(values.among(self.operand.over(rows), self.numbers, self.texts))


@dataclass(frozen=True, slots=True)
class Missing:
    """``x == null``: whether a feature has no value, which can always be told."""

    name: str
    condition = True
    value = False

    def names(self) -> Iterator[str]:
        yield self.name

    def over(self, rows: Rows) -> Values:
        return Values(values.is_missing(rows.features.get(self.name), rows.size))


@dataclass(frozen=True, slots=True)
class Negation:
    operand: Node
    condition = True
    value = False

    def names(self) -> Iterator[str]:
        return self.operand.names()

    def over(self, rows: Rows) -> Values:
        return Values(1.0 - truth(self.operand, rows))


@dataclass(frozen=True, slots=True)
class Junction:
    """Conditions joined by `and`, or by `or`."""

    operands: tuple[Node, ...]
    all: bool
    condition = True
    value = False

    def names(self) -> Iterator[str]:
        for operand in self.operands:
            yield from operand.names()

    def over(self, rows: Rows) -> Values:
        join = values.both if self.all else values.either
        return Values(reduce(join, (truth(operand, rows) for operand in self.operands)))


def truth(node: Node, rows: Rows) -> Floats:
    """(n,) 1 true, 0 false, NaN where it can't be told."""
    return values.as_truth(node.over(rows))

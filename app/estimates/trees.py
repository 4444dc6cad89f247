"""Small boosted trees over columns: what loss to expect of each row, from its features and what was predicted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from app.decoding.columns import FeatureColumn, Floats

# The prediction stands beside the features under this name, which no feature has.
PREDICTION = ""
# A row's expected loss stays below e to this power times the mean one.
_LARGEST = 50.0


@dataclass(frozen=True)
class Tree:
    """Oblivious: each level asks one question of all rows. `levels`: input and threshold; a row at or above it goes
    right, one without a value left. `values`: (outputs, 2^levels) what a leaf adds to the logarithm of the losses.
    """

    levels: tuple[tuple[str, float], ...]
    values: Floats


@dataclass(frozen=True)
class LossTrees:
    """Expected losses of a row: exp(`base` + what its leaves add), (outputs,).

    `codes`: text feature -> text -> its number, from -1 for unknown text on by rising loss.
    """

    base: tuple[float, ...]
    trees: tuple[Tree, ...]
    codes: Mapping[str, Mapping[str, float]]

    def expect(self, columns: Mapping[str, FeatureColumn], predictions: Floats) -> Floats:
        """(outputs, n) the expected losses. `predictions`: (n,)."""
        answers = self._answers(self.inputs(columns, predictions))
        logarithms = np.repeat(np.array(self.base)[:, None], len(predictions), axis=1)
        for tree in self.trees:
            leaves = np.zeros(len(predictions), np.uint8)
            for level in tree.levels:
                leaves <<= 1
                leaves |= answers[level]
            places = leaves.astype(np.intp)
            for output, values in zip(logarithms, tree.values, strict=True):
                output += values.take(places)
        expected: Floats = np.exp(np.minimum(logarithms, np.array(self.base)[:, None] + _LARGEST))
        return expected

    def inputs(self, columns: Mapping[str, FeatureColumn], predictions: Floats) -> dict[str, Floats]:
        """What the trees ask for, (n,) each, NaN where missing."""
        missing = np.full(len(predictions), np.nan)
        found: dict[str, Floats] = {}
        for name in self._asked:
            column = columns.get(name)
            if name == PREDICTION:
                found[name] = predictions
            elif column is None:
                found[name] = missing
            else:
                found[name] = coded(column, self.codes[name], len(missing)) if name in self.codes else column.numbers
        return found

    @cached_property
    def _asked(self) -> list[str]:
        return sorted({name for tree in self.trees for name, _ in tree.levels})

    def _answers(self, inputs: Mapping[str, Floats]) -> dict[tuple[str, float], NDArray[np.uint8]]:
        questions = {level for tree in self.trees for level in tree.levels}
        return {(name, threshold): (inputs[name] >= threshold).view(np.uint8) for name, threshold in questions}

    def record(self) -> dict[str, Any]:
        trees = [
            {"levels": [list(level) for level in tree.levels], "values": tree.values.tolist()} for tree in self.trees
        ]
        return {"base": list(self.base), "trees": trees, "codes": {name: dict(own) for name, own in self.codes.items()}}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Raises ValueError or KeyError for what is no such record."""
        base = tuple(map(float, record["base"]))
        codes = {name: {text: float(code) for text, code in own.items()} for name, own in record["codes"].items()}
        return cls(base, tuple(_tree(tree, len(base)) for tree in record["trees"]), codes)


def _tree(record: Mapping[str, Any], outputs: int) -> Tree:
    levels = tuple((str(name), float(threshold)) for name, threshold in record["levels"])
    values = np.array(record["values"], np.float64)
    if values.shape != (outputs, 1 << len(levels)):
        raise ValueError("a tree needs a value for each leaf")
    return Tree(levels, values)


def coded(column: FeatureColumn, codes: Mapping[str, float], size: int) -> Floats:
    """(size,) the number of each text, -1 for one that is unknown, NaN for what is none."""
    if column.values is None:
        return np.full(size, np.nan)
    known: Mapping[Any, float] = codes
    numbers: Sequence[float] = [known.get(value, -1.0) if type(value) is str else np.nan for value in column.values]
    return np.array(numbers)

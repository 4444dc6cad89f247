"""How right a classifier is: confusion, and the quality of its probabilities."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.decoding.columns import Floats, Ints
from app.estimates.cells import KNOWN_KINDS, ScoreCells
from app.statistics.classes import MAX_CLASSES, OTHER
from app.statistics.confusion import confusion_metrics
from app.statistics.groups import Groups, first_come
from app.statistics.prepared_classification import PreparedClassification
from app.statistics.scores import Scores

# A cell of which corrected labels took all back has at most this share of the weight left, by rounding.
NOTHING = 1e-12
WEIGHT, CORRECT, GIVEN, LOG_LOSS, BRIER, BINARY, BINARY_BRIER, ESTIMATED, ESTIMATE = range(9)


class Classification:
    """Pairs of a predicted class and its label, weighted.

    `confusion`: (label, prediction) -> weight, over at most 200 classes in the order of their coming; the rest is
    "(other)". `sums`: weights and weighted losses, by the names above. `named`: the most classes that one row's
    probabilities named. `positive`: the configured positive class. `cells`: rows by prediction, probability and truth.
    """

    __slots__ = ("cells", "classes", "confusion", "named", "positive", "scores", "sums")

    def __init__(self) -> None:
        self.confusion: dict[tuple[str, str], float] = {}
        self.classes: set[str] = set()
        self.sums: Floats = np.zeros(9)
        self.named = 0
        self.positive: str | None = None
        self.scores = Scores()
        self.cells = ScoreCells(KNOWN_KINDS)

    @staticmethod
    def update(members: Sequence["Classification"], groups: Groups, prepared: PreparedClassification) -> None:
        """Adds each row that has a label and a prediction to its group."""
        _add_confusion(members, groups, prepared)
        groups.carry([member.sums for member in members], prepared.columns)
        for member in members:
            member.positive = prepared.positive if prepared.positive is not None else member.positive
        if prepared.named is not None:
            most = np.zeros(groups.size + 1, np.int64)
            np.maximum.at(most, groups.index, prepared.named)
            for member, named in zip(members, most.tolist(), strict=False):
                member.named = max(member.named, named)
        if prepared.score_cells is not None:
            ScoreCells.update([member.cells for member in members], groups, prepared.score_cells)
        for positive, chosen in prepared.positives.items():
            _add_scores(members, groups, prepared, positive, chosen)

    def _admit(self, label: str, prediction: str) -> tuple[str, str]:
        return self._class(label), self._class(prediction)

    def _class(self, name: str) -> str:
        if name not in self.classes:
            if len(self.classes) >= MAX_CLASSES:
                return OTHER
            self.classes.add(name)
        return name

    @property
    def seen(self) -> bool:
        return bool(self.confusion)

    def merge(self, other: "Classification") -> None:
        for (label, prediction), weight in sorted(other.confusion.items()):
            key = self._admit(label, prediction)
            self.confusion[key] = self.confusion.get(key, 0.0) + weight
        self.sums += other.sums
        self.named = max(self.named, other.named)
        self.positive = other.positive if self.positive is None else self.positive
        self.scores.merge(other.scores)
        self.cells.merge(other.cells)

    def metrics(self) -> dict[str, float]:
        sums = self.sums.tolist()
        cells = {key: weight for key, weight in self.confusion.items() if weight > NOTHING * sums[WEIGHT]}
        classes = {name for key in cells for name in key} - {OTHER}
        binary = max(self.named, len(classes)) <= 2
        found = {}
        if sums[WEIGHT] > 0:
            found["accuracy"] = sums[CORRECT] / sums[WEIGHT]
            found |= confusion_metrics(cells, binary, self._positive_class(classes))
        if sums[GIVEN] > 0:
            found["log_loss"] = sums[LOG_LOSS] / sums[GIVEN]
            whole = binary and sums[BINARY] == sums[GIVEN]
            found["brier"] = sums[BINARY_BRIER if whole else BRIER] / sums[GIVEN]
        if sums[ESTIMATED] > 0:
            found["estimated_accuracy_of_labelled"] = sums[ESTIMATE] / sums[ESTIMATED]
        area = self.scores.area()
        return found | ({"roc_auc": area} if binary and area is not None else {})

    def label_counts(self, labels: int) -> dict[str, float]:
        """Class -> its labels, of `labels` in all; weights only shift the shares."""
        found: dict[str, float] = {}
        for (label, _), weight in sorted(self.confusion.items()):
            found[label] = found.get(label, 0.0) + max(weight, 0.0)
        whole = sum(found.values())
        return {name: weight * labels / whole for name, weight in found.items()} if whole > 0 else {}

    def _positive_class(self, classes: set[str]) -> str | None:
        """The configured one, else that of the probabilities, else the last of two in sorted order."""
        if self.positive is not None:
            return self.positive
        if self.scores.positive is not None and not self.scores.mixed:
            return self.scores.positive
        return max(classes) if len(classes) == 2 else None

    def state(self) -> dict[str, Any]:
        confusion: dict[str, dict[str, float]] = {}
        for (label, prediction), weight in sorted(self.confusion.items()):
            confusion.setdefault(label, {})[prediction] = weight
        state: dict[str, Any] = {"confusion": confusion, "sums": self.sums.tolist()}
        if self.named:
            state["named"] = self.named
        if self.positive is not None:
            state["positive"] = self.positive
        if self.scores.positive is not None:
            state["scores"] = self.scores.state()
        if self.cells.seen:
            state["cells"] = self.cells.state()
        return state

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "Classification":
        own = cls()
        own.confusion = {(label, p): weight for label, row in state["confusion"].items() for p, weight in row.items()}
        own.classes = {name for key in own.confusion for name in key} - {OTHER}
        own.sums[:] = state["sums"]
        own.named = state.get("named", 0)
        own.positive = state.get("positive")
        own.scores = Scores.from_state(state["scores"]) if "scores" in state else own.scores
        own.cells = ScoreCells.from_state(state["cells"], KNOWN_KINDS) if "cells" in state else own.cells
        return own


def _add_confusion(members: Sequence[Classification], groups: Groups, prepared: PreparedClassification) -> None:
    """Sums of each cell are carried on in the rows' order, also where several cells become "(other)"."""
    width = len(prepared.cells)
    present = groups.count(prepared.cell, width + 1)[:, :width] > 0
    slots: dict[tuple[int, tuple[str, str]], int] = {}
    table = np.full((groups.size + 1, width + 1), -1, np.int64)
    for group, member in enumerate(members):
        cells = np.flatnonzero(present[group]).tolist()
        if len(member.classes) + 2 * len(cells) > MAX_CLASSES:
            cells = [c for c in first_come(np.where(groups.index == group, prepared.cell, -1)) if c < width]
        for cell in cells:
            key = member._admit(*prepared.cells[cell])
            table[group, cell] = slots.setdefault((group, key), len(slots))
    running = np.array([*(members[group].confusion.get(key, 0.0) for group, key in slots), 0.0])
    table[table < 0] = len(slots)
    np.add.at(running, table.reshape(-1)[groups.index * (width + 1) + prepared.cell], prepared.weights)
    for ((group, key), _), weight in zip(slots.items(), running.tolist(), strict=False):
        members[group].confusion[key] = weight


def _add_scores(
    members: Sequence[Classification], groups: Groups, prepared: PreparedClassification, positive: str, rows: Ints
) -> None:
    index = groups.index[rows]
    scores: list[Scores] = []
    renumbered = np.full(groups.size + 1, -1, np.int64)
    for group in np.unique(index).tolist():
        if group < groups.size:
            members[group].scores.meet(positive)
            if not members[group].scores.mixed:
                renumbered[group] = len(scores)
                scores.append(members[group].scores)
    renumbered[renumbered < 0] = len(scores)
    own = Groups(renumbered[index], len(scores))
    Scores.update(scores, own, prepared.bins[rows], prepared.truths[rows], prepared.weights[rows])

"""The baseline's section `performance`: how often labelled rows were wrong, by probability, feature and segment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from app.estimates.outcomes import Outcomes
from app.estimates.trees import LossTrees

# A column of segments with more values is not followed: its parts of a change would be many and small.
MOST_VALUES = 25


@dataclass(frozen=True)
class PerformanceReference:
    """Of `rows` labelled rows the mean `loss`: the share of wrong answers, or a regression's mean absolute error.

    `metric`: "accuracy" or "mae". `losses`: feature -> the mean loss in each of its bins (the last: missing).
    `segments`: column -> value -> rows and mean loss. `outcomes`: what the probabilities were worth. `trees`: the
    absolute and squared error to expect of a regression's row. Either is None where there is nothing to learn it from.
    """

    metric: str
    rows: int
    loss: float
    losses: Mapping[str, tuple[float, ...]]
    segments: Mapping[str, Mapping[str, tuple[int, float]]] = field(default_factory=dict)
    outcomes: Outcomes | None = None
    trees: LossTrees | None = None

    def record(self) -> dict[str, Any]:
        record: dict[str, Any] = {
            "metric": self.metric,
            "rows": self.rows,
            "loss": self.loss,
            "losses": {name: list(own) for name, own in self.losses.items()},
            "segments": {
                column: {value: list(own) for value, own in values.items()} for column, values in self.segments.items()
            },
        }
        learned = {"outcomes": self.outcomes, "trees": self.trees}
        return record | {name: own.record() for name, own in learned.items() if own is not None}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Raises ValueError or KeyError for what is no such record."""
        return cls(
            metric=str(record["metric"]),
            rows=int(record["rows"]),
            loss=float(record["loss"]),
            losses={name: tuple(map(float, own)) for name, own in record["losses"].items()},
            segments={
                column: {value: (int(own[0]), float(own[1])) for value, own in values.items()}
                for column, values in record["segments"].items()
            },
            outcomes=Outcomes.from_record(record["outcomes"]) if "outcomes" in record else None,
            trees=LossTrees.from_record(record["trees"]) if "trees" in record else None,
        )

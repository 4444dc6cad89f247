"""How a version did when all was well, in all of its traffic and in each segment: what changes are measured from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.estimates.reference import MOST_VALUES, PerformanceReference
from app.segments import EVERYTHING, Segment, as_object, from_object
from app.statistics.totals import Totals

# So many rows of all traffic are enough to say what is usual.
REFERENCE_ROWS = 1_000
# Panes in which more predictions failed are not what is usual.
_HEALTHY_ERROR_RATE = 0.1


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean loss of `rows` rows, and the variance of one row's."""

    rows: float
    loss: float
    variance: float

    def plus(self, other: "Mean") -> "Mean":
        rows = self.rows + other.rows
        if rows <= 0:
            return self
        loss = (self.rows * self.loss + other.rows * other.loss) / rows
        return Mean(rows, loss, (self.rows * self.variance + other.rows * other.variance) / rows)


def column_of(segment: Segment) -> str:
    """The column that a segment is a value of, empty for all traffic."""
    return segment[0][0] if segment else ""


def share_of(rows: float, loss: float) -> Mean:
    """A loss of 0 or 1 a row: a share of wrong answers."""
    return Mean(rows, loss, loss * (1 - loss))


def realised(totals: Totals) -> Mean | None:
    """The mean loss of the labelled rows: the share of wrong answers, or the mean absolute error."""
    if totals.classification is not None and (known := totals.classification.metrics()).get("accuracy") is not None:
        return share_of(totals.label_count, 1 - known["accuracy"])
    if totals.regression is not None and (known := totals.regression.metrics()):
        return Mean(totals.label_count, known["mae"], max(known["rmse"] ** 2 - known["mae"] ** 2, 0.0))
    return None


def estimated(totals: Totals, metrics: Mapping[str, float]) -> Mean | None:
    """The same as it is estimated. `metrics`: the window's."""
    if (accuracy := metrics.get("estimated_accuracy")) is not None:
        return share_of(totals.predictions, 1 - accuracy)
    if (mae := metrics.get("estimated_mae")) is not None:
        return Mean(totals.predictions, mae, max(metrics["estimated_rmse"] ** 2 - mae**2, 0.0))
    return None


class Usual:
    """Mean losses by segment, of the first healthy rows or of a labelled baseline. `complete`: no more come.

    `crowded`: the columns that have too many values to be followed.
    """

    def __init__(self, state: Mapping[str, Any] | None = None) -> None:
        state = state or {}
        self.complete: bool = state.get("complete", False)
        self.means: dict[Segment, Mean] = {from_object(own[0]): Mean(*own[1:]) for own in state.get("means", [])}
        self.crowded: set[str] = set(state.get("crowded", ()))

    def state(self) -> dict[str, Any]:
        means = [[as_object(segment), own.rows, own.loss, own.variance] for segment, own in sorted(self.means.items())]
        return {"complete": self.complete, "means": means, "crowded": sorted(self.crowded)}

    @classmethod
    def of(cls, reference: PerformanceReference) -> "Usual":
        """What a labelled baseline says."""
        usual = cls()
        usual.complete = True
        classes = reference.metric == "accuracy"
        usual.means[EVERYTHING] = _mean(reference.rows, reference.loss, classes)
        for column, values in reference.segments.items():
            for value, (rows, loss) in values.items():
                usual.means[from_object({column: value})] = _mean(rows, loss, classes)
        return usual

    def learn(self, windows: Sequence[tuple[Segment, Totals, Mean | None]]) -> None:
        """Takes in windows of one version with the same end, if they are healthy."""
        whole = [totals for segment, totals, _ in windows if segment == EVERYTHING]
        if not whole or whole[0].errors > _HEALTHY_ERROR_RATE * whole[0].predictions:
            return
        for segment, _, mean in windows:
            if mean is not None and column_of(segment) not in self.crowded:
                self.means[segment] = self.means[segment].plus(mean) if segment in self.means else mean
        values = Counter(map(column_of, self.means))
        self.crowded |= {column for column, count in values.items() if count > MOST_VALUES}
        self.means = {segment: own for segment, own in self.means.items() if column_of(segment) not in self.crowded}
        self.complete = EVERYTHING in self.means and self.means[EVERYTHING].rows >= REFERENCE_ROWS


def _mean(rows: float, loss: float, classes: bool) -> Mean:
    # The spread of absolute errors around their mean is about the mean itself: that of an exponential distribution.
    return share_of(rows, loss) if classes else Mean(rows, loss, loss**2)

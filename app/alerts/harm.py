"""Does a change do harm? What estimates say before labels come, and what carries it."""

from typing import Any

from app.alerts.rules import Reading
from app.estimates import loss_truth, truth


def harmful(reading: Reading, already: bool) -> bool:
    """Whether trusted estimates have fallen beyond what is tolerated, all of their interval. `already`: it was so
    before; then the estimate itself is asked, so that an alert's severity does not go up and down.

    Accuracy: more than 2 points below the usual. A regression: a mean absolute error above 1.1 times the usual.
    """
    change = reading.impact.get("estimated")
    if change is None or not reading.estimate_trusted:
        return False
    if reading.impact["metric"] == "accuracy":
        value = reading.metrics.get("estimated_accuracy_calibrated", reading.metrics.get("estimated_accuracy"))
        best = value if already else reading.metrics.get("estimated_accuracy_high")
        return value is not None and best is not None and best < value - change - truth.TOLERANCE
    value = reading.metrics.get("estimated_mae")
    best = value if already else reading.metrics.get("estimated_mae_low")
    return value is not None and best is not None and best > (1 + loss_truth.TOLERANCE) * (value - change)


def impact(reading: Reading) -> dict[str, Any]:
    """For the evidence of an alert: by how much performance has moved, and what carries it."""
    return {"impact": dict(reading.impact)} if reading.impact else {}

"""Is the new model better than the current one? Both on the very same rows, which the new one has not seen."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import bdtr

from app.decoding.columns import Floats, Probabilities
from app.training.task import CLASSIFICATION, Values, losses

# A share of rows, and a share of the current version's RMSE, within which the new model counts as no worse.
ACCURACY_MARGIN = 0.005
RMSE_MARGIN = 0.01


@dataclass(frozen=True, slots=True)
class Verdict:
    """`decision`: one sentence with the figures it rests on. `metrics` are the new model's, on all `rows`."""

    accepted: bool
    decision: str
    metrics: dict[str, float]
    compared_with: dict[str, Any]


def compare(
    task: str, version: str, current: Values, new: Values, labels: Values, probabilities: Probabilities | None
) -> Verdict:
    """The verdict on n held-out rows for which the label and both predictions are known.

    `current`: what `version` itself said when it served. Accepted when better, or not worse beyond the margin. The
    paired test is stated, and does not decide: McNemar's exact test for classes ("Note on the sampling error of the
    difference between correlated proportions", Psychometrika 12, 1947), the sign test on absolute errors for numbers.
    """
    losses_new, losses_current = losses(task, new, labels), losses(task, current, labels)
    p_value = sign_test(int((losses_new < losses_current).sum()), int((losses_new > losses_current).sum()))
    metrics = measure(task, new, labels, probabilities)
    before = measure(task, current, labels, None)
    name, test = ("accuracy", "McNemar") if task == CLASSIFICATION else ("rmse", "sign test")
    accepted = _no_worse(name, metrics[name], before[name])
    decision = (
        f"{name} {metrics[name]:.4g} against {before[name]:.4g} of version {version} on {len(labels)} held-out rows "
        f"({test} p {'< 0.001' if p_value < 0.001 else f'= {p_value:.3f}'}): {'accepted' if accepted else 'rejected'}"
    )
    compared = {"version": version, "rows": len(labels), "metrics": before, "test": test, "p_value": p_value}
    return Verdict(accepted, decision, metrics, compared)


def _no_worse(name: str, new: float, current: float) -> bool:
    if name == "accuracy":
        return new >= current - ACCURACY_MARGIN
    return new <= current * (1 + RMSE_MARGIN)


def sign_test(wins: int, losses: int) -> float:
    """Two-sided exact p-value of `wins` against `losses` when both are equally likely; 1.0 without either."""
    return float(min(1.0, 2 * bdtr(min(wins, losses), wins + losses, 0.5))) if wins + losses else 1.0


def measure(task: str, predicted: Values, labels: Values, probabilities: Probabilities | None) -> dict[str, float]:
    """Metrics of n predictions, all known. Those that the rows don't define are absent."""
    if task != CLASSIFICATION:
        return _measure_numbers(np.asarray(predicted, np.float64), np.asarray(labels, np.float64))
    right = np.array([a == b for a, b in zip(predicted, labels, strict=True)])
    truth = np.asarray(labels, object)
    recalls = [float(right[truth == name].mean()) for name in sorted(set(truth))]
    metrics = {"accuracy": float(right.mean()), "balanced_accuracy": float(np.mean(recalls))}
    if probabilities is not None:
        metrics["log_loss"] = _log_loss(probabilities, labels)
    return metrics


def _log_loss(probabilities: Probabilities, labels: Values) -> float:
    """Mean of -ln p(true class), p at least 1e-15; a class that the model does not know has p = 0."""
    places = {name: place for place, name in enumerate(probabilities.classes)}
    given = [
        row[places[label]] if label in places else 0.0 for row, label in zip(probabilities.matrix, labels, strict=True)
    ]
    return float(-np.log(np.clip(given, 1e-15, 1.0)).mean())


def _measure_numbers(predicted: Floats, labels: Floats) -> dict[str, float]:
    errors = predicted - labels
    metrics = {"rmse": float(np.sqrt((errors**2).mean())), "mae": float(np.abs(errors).mean())}
    spread = float(((labels - labels.mean()) ** 2).sum())
    if spread > 0:
        metrics["r2"] = 1 - float((errors**2).sum()) / spread
    return metrics

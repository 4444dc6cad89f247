"""Metrics of a confusion matrix, as scikit-learn defines them."""

from collections.abc import Mapping

import numpy as np

from app.decoding.columns import Floats
from app.statistics.classes import OTHER


def confusion_metrics(
    confusion: Mapping[tuple[str, str], float], binary: bool, positive: str | None
) -> dict[str, float]:
    """Precision, recall, F1 and balanced accuracy. `confusion`: (label, prediction) -> weight.

    The macro figures are means over all classes that occur as label or prediction, an undefined precision or recall
    counting 0 there; balanced accuracy is the mean recall over the classes that occur as label. For `binary` models
    precision, recall and F1 are those of the `positive` class, and each class has its own where it is defined.
    With classes put together in "(other)" there are none of these.
    """
    classes = sorted({name for key in confusion for name in key})
    if OTHER in classes:
        return {}
    places = {name: place for place, name in enumerate(classes)}
    matrix = np.zeros((len(classes), len(classes)))
    for (label, prediction), weight in confusion.items():
        matrix[places[label], places[prediction]] = weight
    right, actual, predicted = np.diagonal(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    figures = {
        "precision": _ratio(right, predicted),
        "recall": _ratio(right, actual),
        "f1": _ratio(2 * right, actual + predicted),
    }
    found = {}
    if (actual > 0).any():
        found["balanced_accuracy"] = float(figures["recall"][actual > 0].mean())
    for name, values in figures.items():
        found[f"{name}_macro"] = float(np.nan_to_num(values).mean())
        if not binary:
            found[name] = found[f"{name}_macro"]
            continue
        of_class = {c: v for c, v in zip(classes, values.tolist(), strict=True) if v == v}
        found |= {f"{name}_{c}": value for c, value in of_class.items()}
        if positive in of_class:
            found[name] = of_class[positive]
    return found


def _ratio(above: Floats, below: Floats) -> Floats:
    shares: Floats = np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)
    return shares

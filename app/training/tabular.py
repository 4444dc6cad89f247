"""The default model: scikit-learn's histogram gradient boosting over tabular features, kept as data.

An artifact is one zip file of `model.skops` (arrays and names of a fixed list of types, nothing pickled) and
`encoding.json` (the features' encoding and the class names).
"""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.decoding.columns import Floats, Probabilities
from app.training.encoding import Feature, encode, fit_features
from app.training.task import CLASSIFICATION, Values

FORMAT = 1
PARAMETERS = {"max_iter": 120, "learning_rate": 0.1, "max_leaf_nodes": 15, "min_samples_leaf": 20, "random_state": 0}
# The types beyond skops' own list that such a model is made of; whatever else a file names is not loaded.
TRUSTED = [
    "functools.partial",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.utils.validation.check_array",
]


class NothingToLearn(ValueError):
    """The examples can't train a model; the message says why."""


@dataclass(slots=True)
class Predicted:
    """n predictions: class names with probabilities, or numbers."""

    predictions: list[str] | list[float]
    probabilities: Probabilities | None


@dataclass(slots=True)
class TabularModel:
    """A fitted estimator with what it needs to read raw features. `classes`: sorted; empty for a regression."""

    task: str
    features: list[Feature]
    classes: tuple[str, ...]
    estimator: Any

    def predict(self, columns: Mapping[str, Sequence[Any]], rows: int) -> Predicted:
        """Predictions of `rows` rows of raw features by name; an absent feature is missing in all of them."""
        matrix = encode(self.features, columns, rows)
        if self.task != CLASSIFICATION:
            return Predicted(self.estimator.predict(matrix).tolist(), None)
        probabilities = self.estimator.predict_proba(matrix)
        predictions = [self.classes[best] for best in probabilities.argmax(axis=1)]
        return Predicted(predictions, Probabilities(self.classes, probabilities))


def fit(task: str, columns: Mapping[str, Sequence[Any]], labels: Values) -> TabularModel:
    """A model of the rows that have a label. Raises NothingToLearn when there is nothing to tell apart."""
    features = fit_features(columns)
    if not features:
        raise NothingToLearn("no example has a number, a boolean or a category as a feature")
    matrix = encode(features, columns, len(labels))
    if task == CLASSIFICATION:
        return _fit_classes(features, matrix, list(labels))
    known = ~np.isnan(np.asarray(labels, np.float64))
    if not known.any():
        raise NothingToLearn("no example has a number as its label")
    estimator = _estimator("HistGradientBoostingRegressor", features)
    return TabularModel(task, features, (), estimator.fit(matrix[known], np.asarray(labels)[known]))


def _fit_classes(features: list[Feature], matrix: Floats, labels: list[Any]) -> TabularModel:
    classes = tuple(sorted({label for label in labels if label is not None}))
    if len(classes) < 2:
        raise NothingToLearn(f"the labels are all of one class ({classes[0]})" if classes else "no example has a label")
    codes = {name: code for code, name in enumerate(classes)}
    targets = np.array([codes.get(label, -1) for label in labels])
    known = targets >= 0
    estimator = _estimator("HistGradientBoostingClassifier", features)
    return TabularModel(CLASSIFICATION, features, classes, estimator.fit(matrix[known], targets[known]))


def _estimator(name: str, features: list[Feature]) -> Any:
    from sklearn import ensemble

    categorical = [feature.kind == "category" for feature in features]
    return getattr(ensemble, name)(categorical_features=categorical, early_stopping=False, **PARAMETERS)


def save(model: TabularModel, path: Path) -> None:
    """Writes the artifact."""
    from skops import io as skops

    encoding = {
        "format": FORMAT,
        "task": model.task,
        "classes": model.classes,
        "features": [asdict(feature) for feature in model.features],
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.skops", skops.dumps(model.estimator))
        archive.writestr("encoding.json", json.dumps(encoding, indent=1))


def describe(model: TabularModel) -> dict[str, Any]:
    """What the version keeps of how it was trained."""
    import sklearn

    names = [feature.name for feature in model.features]
    learner = type(model.estimator).__name__
    return {"learner": learner, "scikit_learn": sklearn.__version__, "features": names, **PARAMETERS}


def load(content: bytes) -> TabularModel:
    """The model of an artifact's bytes.

    Raises ValueError for another format, skops' UntrustedTypesFoundException for a type that is not on the list.
    """
    from skops import io as skops

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        encoding = json.loads(archive.read("encoding.json"))
        if encoding["format"] != FORMAT:
            raise ValueError(f"artifact of format {encoding['format']}, known is {FORMAT}")
        estimator = skops.loads(archive.read("model.skops"), trusted=TRUSTED)
    features = [Feature(f["name"], f["kind"], tuple(f["categories"])) for f in encoding["features"]]
    return TabularModel(encoding["task"], features, tuple(encoding["classes"]), estimator)

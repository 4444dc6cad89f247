"""Metrics of labelled predictions against scikit-learn on the raw rows."""

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as oracle

from app.decoding.columns import PairColumns, Probabilities
from app.statistics.classes import OTHER
from app.statistics.prepared import PreparedPairs
from app.statistics.totals import Totals
from tests.app.statistics import made


def totals(columns: PairColumns, positive: str | None = None) -> Totals:
    found = Totals()
    PreparedPairs(columns, positive).update([found], np.zeros(columns.size, np.int64))
    return found


def metrics(columns: PairColumns, positive: str | None = None) -> dict[str, float]:
    return totals(columns, positive).metrics(60)


def rows(columns: PairColumns) -> tuple[Any, Any, Any, Any]:
    """Truth, prediction, weights, probabilities of the rows that have both classes."""
    kept = [i for i in range(columns.size) if columns.labels[i] and columns.predicted[i]]
    weights = columns.weights if columns.weights is not None else np.ones(columns.size)
    assert columns.probabilities is not None
    truth, said = [columns.labels[i] for i in kept], [columns.predicted[i] for i in kept]
    return np.array(truth), np.array(said), weights[kept], columns.probabilities.matrix[kept]


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_confusion_metrics(classes: int, weighted: bool) -> None:
    columns = made.pairs(800, 5, weighted=weighted, classes=classes)
    truth, said, weights, _ = rows(columns)
    found = metrics(columns)
    assert found["accuracy"] == pytest.approx(oracle.accuracy_score(truth, said, sample_weight=weights), rel=1e-9)
    balanced = oracle.balanced_accuracy_score(truth, said, sample_weight=weights)
    assert found["balanced_accuracy"] == pytest.approx(balanced, rel=1e-9)
    for name in ("precision", "recall", "f1"):
        score = getattr(oracle, f"{name}_score")
        macro = score(truth, said, average="macro", sample_weight=weights)
        assert found[f"{name}_macro"] == pytest.approx(macro, rel=1e-9)
        if classes == 2:
            for place, of_class in enumerate(score(truth, said, average=None, sample_weight=weights)):
                assert found[f"{name}_{made.CLASSES[place]}"] == pytest.approx(of_class, rel=1e-9)
            assert found[name] == found[f"{name}_b"]
        else:
            assert found[name] == found[f"{name}_macro"]
            assert f"{name}_a" not in found


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_probability_metrics(classes: int, weighted: bool) -> None:
    columns = made.pairs(800, 6, weighted=weighted, classes=classes)
    truth, said, weights, matrix = rows(columns)
    told = ~np.isnan(matrix[:, 0])
    truth, said, weights, matrix = truth[told], said[told], weights[told], matrix[told]
    found, names = metrics(columns), list(made.CLASSES[:classes])
    assert found["log_loss"] == pytest.approx(
        oracle.log_loss(truth, matrix, labels=names, sample_weight=weights), rel=1e-9
    )
    if classes == 2:
        brier = oracle.brier_score_loss(truth, matrix[:, 1], pos_label="b", sample_weight=weights)
        area = oracle.roc_auc_score(truth == "b", matrix[:, 1], sample_weight=weights)
        classification = totals(columns).classification
        assert classification is not None
        assert abs(found["roc_auc"] - area) <= (classification.scores.tied() or 0) + 1e-12
        assert found["roc_auc"] == pytest.approx(area, abs=5e-4)
    else:
        brier = np.average(((matrix - (truth[:, None] == np.array(names))) ** 2).sum(axis=1), weights=weights)
        assert "roc_auc" not in found
    assert found["brier"] == pytest.approx(brier, rel=1e-9)
    sure = matrix[np.arange(len(said)), [names.index(name) for name in said]]
    assert found["estimated_accuracy_of_labelled"] == pytest.approx(np.average(sure, weights=weights), rel=1e-9)


def pairs(labels: list[str | None], predicted: list[str | None], matrix: Any = None, classes: Any = ()) -> PairColumns:
    size = len(labels)
    given = Probabilities(classes, np.array(matrix, np.float64)) if matrix is not None else None
    nothing = np.full(size, np.nan)
    return PairColumns(
        "m", "1", "classification", None, predicted, nothing, given, labels, nothing, np.zeros(size, np.int64)
    )


def test_an_undefined_metric_is_absent() -> None:
    found = metrics(pairs(["a", "a", "b"], ["a", "a", "a"]))
    assert found["accuracy"] == pytest.approx(2 / 3)
    assert "precision" not in found
    assert "precision_b" not in found
    assert found["recall"] == found["recall_b"] == found["f1_b"] == 0
    assert found["precision_macro"] == pytest.approx(1 / 3)
    assert not {"log_loss", "brier", "roc_auc", "estimated_accuracy_of_labelled"} & found.keys()


@pytest.mark.parametrize(
    ("positive", "labels", "precision"),
    [
        (None, ["false", "true", "true"], 1.0),  # the last in sorted order
        ("false", ["false", "true", "true"], 0.5),  # as configured
        (None, ["true", "true", "true"], 1.0),  # "true" > "false", which was predicted
    ],
)
def test_the_positive_class(positive: str | None, labels: list[str | None], precision: float) -> None:
    assert metrics(pairs(labels, ["false", "false", "true"]), positive)["precision"] == precision


def test_one_class_alone_says_nothing_about_the_positive_one_unless_probabilities_name_it() -> None:
    alone = metrics(pairs(["no", "no"], ["no", "no"]))
    assert "recall" not in alone
    assert alone["recall_no"] == 1
    named = metrics(pairs(["no", "no"], ["no", "no"], [[0.9, 0.1]] * 2, ("no", "yes")))
    assert "recall" not in named  # of "yes", which nobody saw
    assert metrics(pairs(["yes"], ["yes"], [[0.1, 0.9]], ("no", "yes")))["recall"] == 1


def test_a_window_with_two_of_three_classes_is_not_binary() -> None:
    found = metrics(pairs(["a", "b"], ["a", "a"], [[0.6, 0.3, 0.1]] * 2, ("a", "b", "c")))
    assert found["precision"] == found["precision_macro"]
    assert "precision_a" not in found


def test_a_truth_outside_the_probabilities_costs_what_the_clip_allows() -> None:
    found = metrics(pairs(["c"], ["a"], [[0.7, 0.3]], ("a", "b")))
    assert found["log_loss"] == pytest.approx(-np.log(1e-15))


def test_certain_and_wrong_stays_finite() -> None:
    found = metrics(pairs(["a", "b"], ["b", "b"], [[0, 1], [0, 1]], ("a", "b")))
    assert found["log_loss"] == pytest.approx((-np.log(1e-15) - np.log(1 - 1e-15)) / 2)
    assert found["brier"] == 0.5


def test_two_positive_classes_give_no_area() -> None:
    members = totals(pairs(["a", "b"], ["a", "b"], [[0.7, 0.3], [0.2, 0.8]], ("a", "b")))
    members.merge(totals(pairs(["c", "b"], ["c", "b"], [[0.7, 0.3], [0.2, 0.8]], ("b", "c"))))
    assert "roc_auc" not in members.metrics(60)
    again = Totals.from_state(members.state())
    assert again.state() == members.state()
    assert again.metrics(60)["log_loss"] > 0


def test_classes_beyond_the_bound_keep_accuracy_exact() -> None:
    names: list[str | None] = [f"c{i}" for i in range(300)]
    found = totals(pairs(names, [*names[:250], *reversed(names[250:])]))
    told = found.metrics(60)
    assert told["accuracy"] == pytest.approx(250 / 300)
    assert not {"precision", "balanced_accuracy", "f1_macro"} & told.keys()
    assert found.classification is not None
    assert (OTHER, OTHER) in found.classification.confusion
    found.merge(totals(pairs(["new"], ["new"])))
    assert len(found.classification.classes) == 200


def test_a_label_without_a_prediction_counts_as_a_label_only() -> None:
    found = totals(pairs(["a", "a"], [None, "a"]))
    assert found.label_count == 2
    assert found.metrics(60)["accuracy"] == 1

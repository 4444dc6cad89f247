from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drift.baseline import Baseline
from app.drift.fitting import ReferenceData, fit
from app.drift.psi import psi
from app.statistics.prepared import PreparedPairs
from app.statistics.totals import Totals, merged
from app.statistics.truth import PreparedTruth
from tests.app.statistics import made


def labelled(labels: Any, **more: Any) -> Baseline:
    data = ReferenceData({"x": [0.0] * len(labels)}, labels=list(labels))
    return fit("m", "1", data, created_at=0, origin="file")


def count(columns: Any, *baselines: Any) -> Totals:
    totals = Totals()
    truth = PreparedTruth(columns.label_values, baselines) if columns.task == "regression" else None
    PreparedPairs(columns, None, truth=truth).update([totals], np.zeros(columns.size, np.int64))
    return totals


def test_labels_of_a_regression() -> None:
    columns = made.pairs(500, 1, task="regression")
    baseline = labelled(made.pairs(800, 2, task="regression").label_values.tolist())
    same, moved = count(columns, (baseline, None)), count(columns, (baseline, None))
    assert same.label_drift(baseline)["drifted"] is False
    moved = count(replace(columns, label_values=columns.label_values + 1), (baseline, None))
    assert moved.label_drift(baseline)["drifted"] is True
    assert moved.label_drift(baseline)["wasserstein_normalised"] == pytest.approx(1, abs=0.2)
    assert Totals.from_state(moved.state()).label_drift(baseline) == moved.label_drift(baseline)


def test_labels_of_classes() -> None:
    baseline = labelled(["a", "b"] * 100)
    totals = count(made.pairs(400, 1, classes=2))
    assert totals.classification is not None
    weights = totals.classification.confusion
    counts = [sum(weight for (label, _), weight in weights.items() if label == name) for name in ("a", "b")]
    told = totals.label_drift(baseline)
    # Pairs that failed have a label and no prediction: they are in no cell.
    scale = totals.label_count / sum(counts)
    expected = psi(np.array(counts) * scale, np.array([100, 100]))
    assert told["psi"] == pytest.approx(expected)


def test_nothing_is_told_of_labels_that_were_counted_against_none_or_two() -> None:
    columns = made.pairs(100, 1, task="regression")
    first, second = labelled([1.0, 2.0]), labelled([1.0, 3.0])
    half = np.arange(100) < 50
    assert count(columns).label_drift(first) == {}
    assert count(columns, (None, None)).label_drift(first) == {}
    mixed = count(columns, (first, half), (second, ~half))
    assert mixed.label_drift(first) == mixed.label_drift(second) == {}
    assert count(columns, (first, half)).label_drift(first) == {}
    assert Totals().label_drift(first) == {}


@given(st.permutations(range(4)))
def test_parts_in_any_order(order: list[int]) -> None:
    columns = made.pairs(200, 3, task="regression")
    baseline = labelled(columns.label_values.tolist())
    parts = [count(made.cut(columns, start, start + 50), (baseline, None)) for start in range(0, 200, 50)]
    whole = count(columns, (baseline, None))
    assert merged([parts[place] for place in order]).label_drift(baseline) == whole.label_drift(baseline)

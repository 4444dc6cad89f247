"""The section `performance` of a baseline: from labelled rows, as JSON and back."""

import json
from typing import Any

import numpy as np
import pytest

from app.drift.baseline import Baseline
from app.drift.fitting import ReferenceData, fit
from app.drift.inheriting import inherit
from app.estimates.layout import layout_of


def classified(rows: int = 2000, seed: int = 0) -> ReferenceData:
    """More often wrong where `income` is high, and in the north."""
    rng = np.random.default_rng(seed)
    income, region = rng.uniform(0, 10, rows), rng.choice(["north", "south"], rows)
    p = rng.beta(1, 1, rows)
    wrong = rng.random(rows) < np.where(income > 5, 0.3, 0.1) + np.where(region == "north", 0.2, 0.0)
    said = np.where(p >= 0.5, "yes", "no")
    labels = np.where(wrong, np.where(said == "yes", "no", "yes"), said)
    missing = rng.random(rows) < 0.05
    return ReferenceData(
        features={"income": [None if gone else float(v) for gone, v in zip(missing, income, strict=True)]},
        predictions=said.tolist(),
        probabilities={"yes": p.tolist(), "no": (1 - p).tolist()},
        labels=[None if row % 10 == 0 else str(label) for row, label in enumerate(labels)],
        segments={"region": region.tolist()},
    )


def fitted(data: ReferenceData) -> Baseline:
    return fit("m", "1", data, created_at=0, origin="file")


def test_what_was_wrong_is_known_by_feature_segment_and_probability() -> None:
    performance = fitted(classified()).performance
    assert performance is not None
    assert (performance.metric, performance.rows) == ("accuracy", 1800)
    assert performance.loss == pytest.approx(0.3, abs=0.03)
    # The first bin is below the minimum, the last two are above the maximum and for missing values.
    losses = np.array(performance.losses["income"])[1:-2]
    assert losses[: len(losses) // 2].mean() == pytest.approx(0.2, abs=0.06)
    assert losses[-(len(losses) // 2) :].mean() == pytest.approx(0.4, abs=0.06)
    assert performance.segments["region"]["north"][1] == pytest.approx(0.4, abs=0.04)
    assert sum(rows for rows, _ in performance.segments["region"].values()) == 1800
    assert performance.outcomes is not None
    assert performance.outcomes.layout == layout_of(("no", "yes"))
    assert performance.outcomes.rows == 1800
    assert performance.trees is None


def test_a_record_comes_back_as_it_was() -> None:
    for data in (classified(), regression()):
        baseline = fitted(data)
        record = json.loads(json.dumps(baseline.to_record()))
        again = Baseline.from_record(record)
        assert again.to_record() == baseline.to_record()
        assert again.baseline_id == baseline.baseline_id


def regression(rows: int = 1000) -> ReferenceData:
    rng = np.random.default_rng(0)
    size = rng.uniform(0, 10, rows)
    values = rng.normal(100, 10, rows)
    return ReferenceData(
        features={"size": size.tolist(), "zone": [["a", "b"][row % 2] for row in range(rows)]},
        predictions=values.tolist(),
        labels=(values + rng.normal(0, 1 + size)).tolist(),
    )


def test_a_regression_gets_trees_and_no_outcomes() -> None:
    performance = fitted(regression()).performance
    assert performance is not None
    assert performance.metric == "mae"
    assert performance.outcomes is None
    assert performance.trees is not None
    losses = performance.losses["size"][1:-2]
    assert losses[0] < losses[len(losses) // 2] < losses[-1]


@pytest.mark.parametrize(
    "without",
    [{"labels": []}, {"predictions": []}, {"labels": [None] * 2000}, {"labels": ["yes"] * 40 + [None] * 1960}],
)
def test_without_labels_there_is_no_such_section(without: dict[str, Any]) -> None:
    data = classified()
    kept = {name: getattr(data, name) for name in ("features", "predictions", "labels", "probabilities")}
    baseline = fitted(ReferenceData(**kept | without))
    assert baseline.performance is None
    assert "performance" not in baseline.to_record()


def test_another_version_inherits_no_performance() -> None:
    own = fitted(classified())
    heir = inherit(own, "2", 1, None)
    assert heir.performance is None
    assert heir.features == own.features

"""The relations of a baseline: what they are fitted from, and their record."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from app.drift.baseline import Baseline
from app.drift.fitting import ReferenceData, fit
from app.drift.references import NumberReference
from app.relations.section import MISSING, Relations

numbers = (
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, 1.0, 2.0])
)
columns = st.lists(st.lists(numbers, min_size=30, max_size=30), min_size=1, max_size=6)


def fitted(features: dict[str, Any], **more: Any) -> Baseline:
    return fit("m", "1", ReferenceData(features), created_at=0, origin="file", **more)


def normal(rows: int, names: str, seed: int = 1) -> dict[str, list[float]]:
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=rows).tolist() for name in names}


def relations_of(baseline: Baseline) -> Relations:
    assert baseline.relations is not None
    return baseline.relations


@given(columns)
@settings(deadline=None, max_examples=100)
def test_any_numbers_give_finite_relations_or_none(values: list[list[Any]]) -> None:
    baseline = fitted({f"x{place}": own for place, own in enumerate(values)})
    if baseline.relations is None:
        return
    again = Baseline.from_record(json.loads(json.dumps(baseline.to_record(), allow_nan=False)))
    assert again == baseline
    held = relations_of(again)
    raw = [values[int(name[1:])] for name in held.names]
    matrix = np.array([[np.nan if value is None else float(value) for value in own] for own in raw])
    errors = held.components.errors(matrix)
    assert np.isfinite(errors).all()
    assert np.isfinite(baseline.cells.scores(held.rows)).all()
    assert held.error_bins(errors).max() < held.error_width


def test_text_and_constants_are_left_out() -> None:
    features = normal(100, "ab") | {"c": ["x", "y"] * 50, "d": [1.0] * 100, "e": [True, False] * 50}
    assert relations_of(fitted(features)).names == ("a", "b", "e")


def test_few_rows_allow_few_features() -> None:
    assert relations_of(fitted(normal(28, "abcdefgh"))).names == ("a", "b", "c", "d")
    assert fitted(normal(9, "ab")).relations is None
    assert len(relations_of(fitted({f"x{i:03}": normal(500, "a", i)["a"] for i in range(70)})).names) == 64


def test_a_sample_is_of_bins_and_spread_over_the_rows() -> None:
    features = {"a": [float(i) for i in range(1000)], "b": [None if i % 2 else float(-i) for i in range(1000)]}
    baseline = fitted(features, sample_rows=100)
    rows = relations_of(baseline).rows
    assert rows.shape == (100, 2)
    assert (np.diff(rows[:, 0].astype(int)) >= 0).all()
    assert rows[-1, 0] == len(baseline.features["a"].counts)  # type: ignore[union-attr]
    assert 40 < (rows[:, 1] == MISSING).sum() < 60


def test_scores_are_normal_by_rank() -> None:
    values = np.random.default_rng(1).lognormal(0, 2, 5000)
    baseline = fitted({"a": values.tolist(), "b": normal(5000, "b")["b"]})
    scores = baseline.cells.scores(baseline.cells.bins(np.array([values, np.full(5000, np.nan)])))
    ranks = values.argsort().argsort() / 5000
    inner = (ranks > 0.05) & (ranks < 0.95)
    assert scores[inner, 0] == pytest.approx(norm.ppf(ranks[inner]), abs=0.35)
    assert np.corrcoef(scores[:, 0], norm.ppf(ranks + 1e-4))[0, 1] > 0.97
    assert scores[:, 0].std() == pytest.approx(0.98, abs=0.04)
    assert (scores[:, 1] == 0).all()


def test_a_damaged_record_is_refused() -> None:
    record = fitted(normal(100, "abc")).to_record()
    del record["baseline_id"]
    for damage in ({"names": ["a", "b"]}, {"names": ["a", "b", "z"]}, {"sample": "AAAA" + "AA=="}, {"errors": {}}):
        with pytest.raises((ValueError, KeyError)):
            Baseline.from_record(record | {"relations": record["relations"] | damage})
    assert isinstance(Baseline.from_record(record).features["a"], NumberReference)

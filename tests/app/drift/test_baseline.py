import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.decoding.columns import FeatureColumn, Kind
from app.decoding.tabulate import feature_column
from app.drift.baseline import Baseline
from app.drift.fitting import ReferenceData, fit
from app.drift.references import CategoryReference, NumberReference, fit_reference
from tests.app.statistics import made

JULY = 1_782_864_000_000


def fitted(**features: list[Any]) -> Baseline:
    data = ReferenceData(features, ["a", "b"])
    return fit("m", "1", data, created_at=JULY, origin="file", effective_from=JULY + 60_000)


def number(values: list[Any]) -> NumberReference:
    reference = fit_reference(values)
    assert isinstance(reference, NumberReference)
    return reference


def test_edges_of_a_continuous_feature() -> None:
    values = np.random.default_rng(1).normal(size=1000)
    reference = number([*values.tolist(), None, float("nan")])
    assert reference.edges == pytest.approx(np.quantile(values, np.arange(1, 20) / 20, method="higher"), abs=0.02)
    assert reference.counts == (50,) * 20
    assert (reference.minimum, reference.maximum, reference.missing) == (values.min(), values.max(), 2)


@pytest.mark.parametrize(
    ("values", "counts"),
    [
        ([0.0] * 95 + [1.0] * 5, (95, 5)),
        ([0.0] * 5 + [1.0] * 95, (5, 95)),
        ([0.0] * 50 + [1.0] * 50, (50, 50)),
        ([7.0] * 20, (20,)),
        ([1.0], (1,)),
        # A value that fills several deciles stands alone, also in the middle.
        ([1.0, 2.0] * 10 + [3.0] * 60 + [4.0, 5.0] * 10, (10, 10, 60, 10, 10)),
        ([False] * 30 + [True] * 10, (30, 10)),
    ],
)
def test_ties_share_a_bin(values: list[Any], counts: tuple[int, ...]) -> None:
    assert number(values).counts == counts


@given(st.lists(st.floats(-1e9, 1e9) | st.sampled_from([0.0, 1.0, 2.0]), min_size=1, max_size=60))
@settings(deadline=None)
def test_bins_on_the_way_count_what_the_fit_counted(values: list[float]) -> None:
    baseline = fitted(x=values)
    bins = baseline.binning.bins({"x": feature_column(values)}, len(values))
    counted = np.bincount(bins[0], minlength=baseline.binning.width)
    assert counted.tolist() == baseline.binning.reference.tolist()
    assert counted[0] == counted[-2] == 0  # nothing out of range


def test_values_outside_have_bins_of_their_own() -> None:
    baseline = fitted(x=[1.0, 2.0, 3.0, 4.0])
    column = feature_column([0.5, 1.0, 4.0, 4.5, -np.inf, np.inf])
    bins = baseline.binning.bins({"x": column}, 6)[0]
    width = baseline.binning.width
    assert bins.tolist() == [0, 1, width - 3, width - 2, 0, width - 2]


def test_categories_with_others_and_unseen_ones() -> None:
    values = [f"c{i:02}" for i in range(30) for _ in range(31 - i)]
    reference = fit_reference([*values, None])
    assert isinstance(reference, CategoryReference)
    assert reference.categories == tuple(f"c{i:02}" for i in range(20))
    assert reference.counts[:2] == (31, 30)
    assert reference.other == sum(range(2, 12))
    assert reference.missing == 1
    baseline = fitted(c=values)
    column = feature_column(["c00", "c29", "new", None, 3.0, [1.0], True])
    bins = baseline.binning.bins({"c": column}, 7)[0].tolist()
    nowhere = baseline.binning.width
    assert bins == [0, 20, 21, nowhere, nowhere, nowhere, nowhere]


def test_free_text_has_no_unseen_values() -> None:
    baseline = fitted(note=[f"text {i}" for i in range(100)])
    counts = np.bincount(baseline.binning.bins({"note": feature_column(["new", "text 1"])}, 2)[0], minlength=23)
    assert counts[20] == 1
    assert baseline.binning.unseen(counts) == {}


def test_a_column_of_another_kind_is_in_no_bin() -> None:
    baseline = fitted(x=[1.0, 2.0], c=["a", "b"], e=[[1.0], [2.0]])
    columns = {"x": feature_column(["1", "2"]), "c": feature_column([1.0, 2.0]), "e": feature_column(["a", "b"])}
    assert (baseline.binning.bins(columns, 2) == baseline.binning.width).all()
    missing = FeatureColumn(Kind.MISSING, np.full(2, np.nan), None)
    assert (baseline.binning.bins({"x": missing, "c": missing}, 2) == baseline.binning.width).all()
    assert baseline.binning.bins({"other": missing}, 2).shape == (0, 2)


def test_some_of_the_columns_are_binned_like_all() -> None:
    columns = made.predictions(50, 3)
    baseline = made.baseline(made.predictions(300, 4))
    whole = baseline.binning.bins(columns.features, 50)
    for name in ("income", "odd", "region"):
        alone = baseline.binning.bins({name: columns.features[name]}, 50)
        assert (whole == alone).all(axis=1).any()


def test_the_record_goes_round() -> None:
    for task in ("classification", "regression"):
        baseline = replace(made.baseline(made.predictions(300, 5, task=task)), created_at=JULY, effective_from=JULY + 5)
        record = json.loads(json.dumps(baseline.to_record(), allow_nan=False))
        again = Baseline.from_record(record)
        assert again == baseline
        assert again.baseline_id == baseline.baseline_id == record["baseline_id"]
        assert again.to_record() == baseline.to_record()
        assert again.binning.starts == baseline.binning.starts


def test_the_id_is_that_of_the_content() -> None:
    first = fitted(x=[1.0, 2.0], c=["a", "b"])
    rows = ReferenceData({"c": ["a", "b"], "x": [1.0, 2.0]}, ["a", "b"])
    later = fit("m", "1", rows, created_at=JULY + 1, origin="file")
    assert later.baseline_id == first.baseline_id
    assert fitted(x=[1.0, 3.0], c=["a", "b"]).baseline_id != first.baseline_id


@pytest.mark.parametrize(
    "damage",
    [
        {"size": 7},
        {"features": {"x": {"type": "number", "edges": [2, 1], "counts": [1, 1, 1], "min": 0, "max": 3, "missing": 0}}},
        {"features": {"x": {"type": "number", "edges": [2], "counts": [1], "min": 0, "max": 3, "missing": 0}}},
        {"features": {"x": {"type": "number", "edges": [9], "counts": [1, 1], "min": 0, "max": 3, "missing": 0}}},
        {"features": {"x": {"type": "no such", "missing": 0}}},
        {
            "features": {
                "x": {"type": "text", "categories": ["a"], "counts": [], "other": 0, "known": None, "missing": 0}
            }
        },
    ],
)
def test_a_damaged_record_is_refused(damage: dict[str, Any]) -> None:
    record = fitted(x=[1.0, 2.0]).to_record() | damage
    with pytest.raises((ValueError, KeyError)):
        Baseline.from_record(record)


def test_what_nobody_filled_in_is_left_out() -> None:
    assert fitted(x=[None, None], y=[1.0, None]).features.keys() == {"y"}
    assert fit("m", "1", ReferenceData({"x": [1.0]}, [None]), created_at=0, origin="file").predictions is None
    with pytest.raises(ValueError, match="no rows"):
        fit("m", "1", ReferenceData({}), created_at=0, origin="file")
    with pytest.raises(TypeError, match="object"):
        fitted(x=[object()])


def test_wrong_kinds_in_a_fit_are_left_out() -> None:
    reference = number([1.0, 2.0, "three", 3.0, True])
    assert sum(reference.counts) == 3
    assert reference.missing == 0

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skops import io as skops
from skops.io.exceptions import UntrustedTypesFoundException

from app.training import tabular
from app.training.encoding import MOST_CATEGORIES, Feature, column_kind, encode, fit_features
from app.training.tabular import NothingToLearn

N = 2000


def world(seed: int = 0) -> tuple[dict[str, list[Any]], list[str]]:
    rng = np.random.default_rng(seed)
    income = rng.normal(size=N)
    job = rng.choice(["x", "y", "z"], N)
    labels = np.where(income + (job == "x") > 0.3, "yes", "no").tolist()
    sparse = [None if gone else value for gone, value in zip(rng.random(N) < 0.1, income.tolist(), strict=True)]
    flags = (rng.random(N) < 0.5).tolist()
    return {"income": sparse, "job": job.tolist(), "flag": flags, "embedding": [[1.0, 2.0]] * N}, labels


def test_kinds_are_what_most_values_are() -> None:
    assert column_kind([1, 2.5, None, "oops"]) == "number"
    assert column_kind(["a", "b", None, 3]) == "category"
    assert column_kind([True, None]) == "boolean"
    assert column_kind([[1.0], None]) == "vector"
    assert column_kind([None, float("nan")]) is None


def test_categories_are_coded_by_frequency_and_strangers_are_missing() -> None:
    (feature,) = fit_features({"job": ["b", "a", "b", "c", "a", "b"]})
    assert feature == Feature("job", "category", ("b", "a", "c"))
    np.testing.assert_array_equal(feature.encode(["a", "new", None, 7, "b"]), [1, np.nan, np.nan, np.nan, 0])


def test_too_many_categories_keep_the_frequent_ones() -> None:
    (feature,) = fit_features({"id": [str(number) for number in range(1000)] + ["999"]})
    assert len(feature.categories) == MOST_CATEGORIES
    assert feature.categories[0] == "999"


def test_an_absent_feature_is_missing_in_all_rows() -> None:
    np.testing.assert_array_equal(
        encode([Feature("a", "number"), Feature("b", "boolean")], {"b": [True, 1]}, 2)[:, 0], np.nan
    )


def test_a_model_learns_and_its_artifact_says_the_same(tmp_path: Path) -> None:
    columns, labels = world()
    model = tabular.fit("classification", columns, labels)
    tabular.save(model, tmp_path / "model.zip")
    loaded = tabular.load((tmp_path / "model.zip").read_bytes())
    fresh, truth = world(seed=1)
    ours, theirs = model.predict(fresh, N), loaded.predict(fresh, N)
    assert [feature.name for feature in loaded.features] == ["flag", "income", "job"]
    assert ours.predictions == theirs.predictions
    assert ours.probabilities is not None
    assert theirs.probabilities is not None
    assert theirs.probabilities.classes == ("no", "yes")
    np.testing.assert_array_equal(ours.probabilities.matrix, theirs.probabilities.matrix)
    assert np.mean([a == b for a, b in zip(ours.predictions, truth, strict=True)]) > 0.9


def test_numbers_are_learned_too(tmp_path: Path) -> None:
    columns, _ = world()
    target = np.array([1.0 if value is None else 3 * value for value in columns["income"]])
    target[::7] = np.nan
    model = tabular.fit("regression", columns, target)
    tabular.save(model, tmp_path / "model.zip")
    said = tabular.load((tmp_path / "model.zip").read_bytes()).predict(columns, N)
    assert said.probabilities is None
    assert np.nanmean(np.abs(np.array(said.predictions) - target)) < 0.2


@pytest.mark.parametrize(
    ("columns", "labels", "reason"),
    [
        ({"a": [1.0, 2.0]}, ["yes", "yes"], "one class"),
        ({"a": [1.0, 2.0]}, [None, None], "no example has a label"),
        ({"a": [None, None]}, ["yes", "no"], "no example has a number"),
        ({"a": [[1.0], [2.0]]}, ["yes", "no"], "no example has a number"),
    ],
)
def test_what_can_not_be_learned_is_said(columns: dict[str, list[Any]], labels: list[Any], reason: str) -> None:
    with pytest.raises(NothingToLearn, match=reason):
        tabular.fit("classification", columns, labels)


class Stranger:
    pass


def test_a_type_that_is_not_on_the_list_is_not_loaded(tmp_path: Path) -> None:
    columns, labels = world()
    model = tabular.fit("classification", columns, labels)
    model.estimator.stranger = Stranger()
    assert "Stranger" in str(skops.get_untrusted_types(data=skops.dumps(model.estimator)))
    tabular.save(model, tmp_path / "model.zip")
    with pytest.raises(UntrustedTypesFoundException, match="Stranger"):
        tabular.load((tmp_path / "model.zip").read_bytes())

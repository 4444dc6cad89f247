"""Text and embeddings as columns of numbers, in a chunk and in the rows of a reference alike."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.decoding.columns import Kind, PredictionColumns
from app.decoding.tabulate import feature_columns
from app.drift.baseline import Baseline
from app.drift.fitting import ReferenceData, fit
from app.drift.references import NumberReference, TextReference
from app.relations.derived import derive
from app.relations.embeddings import VectorReference
from app.statistics.prepared import PreparedPredictions
from app.statistics.totals import Totals
from tests.app.statistics import made

FIGURES = ("digits", "length", "non_ascii", "out_of_vocabulary", "word_length", "words")


def rows(count: int, seed: int, *, words: str = "abcdefgh", shift: float = 0.0) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    return [
        {
            "amount": float(rng.normal()),
            "comment": " ".join(rng.choice(list(words), rng.integers(3, 9))),
            "emb": rng.normal(shift, 1, 6).tolist(),
        }
        for _ in range(count)
    ]


def columns_of(records: list[dict[str, Any]]) -> PredictionColumns:
    features = feature_columns(records, 1000, ["comment"])
    return replace(made.numbers(len(records), ["x"]), features=features)


def fitted(records: list[dict[str, Any]], text: tuple[str, ...] = ("comment",)) -> Baseline:
    names = dict.fromkeys(name for row in records for name in row)
    data = ReferenceData({name: [row.get(name) for row in records] for name in names})
    return fit("m", "1", data, created_at=0, origin="file", text=text)


def counted(records: list[dict[str, Any]], baseline: Baseline | None, sample_rows: int = 0) -> Totals:
    totals = Totals()
    prepared = PreparedPredictions(columns_of(records), baseline, sample_rows, texts=["comment"])
    prepared.update([totals], np.zeros(len(records), np.int64))
    return totals


def test_a_reference_has_the_derived_features() -> None:
    baseline = fitted(rows(300, 1))
    assert list(baseline.features) == sorted(
        [
            "amount",
            "comment",
            "emb",
            "emb.cluster",
            "emb.distance",
            "emb.norm",
            *(f"comment.{name}" for name in FIGURES),
        ]
    )
    assert isinstance(baseline.features["comment"], TextReference)
    assert isinstance(baseline.features["emb"], VectorReference)
    assert isinstance(baseline.features["comment.length"], NumberReference)
    assert Baseline.from_record(baseline.to_record()) == baseline


def test_the_same_rows_are_counted_as_they_were_fitted() -> None:
    """But for what is by the other rows in a reference."""
    records = rows(300, 1)
    baseline = fitted(records)
    drift = counted(records, baseline).drift(baseline)
    assert "comment" not in drift
    assert "emb" not in drift
    assert {name for name, figures in drift.items() if figures["psi"] > 0} <= {"emb.distance"}
    assert drift["emb.distance"]["psi"] < 0.01


@pytest.mark.parametrize(
    ("changed", "seen"),
    [
        ({"words": "abcdefgz"}, "comment.out_of_vocabulary"),
        ({"words": ["abc", "defg"]}, "comment.length"),
        ({"words": "123"}, "comment.digits"),
        ({"words": "äöü"}, "comment.non_ascii"),
        ({"shift": 1.0}, "emb.distance"),
        ({"shift": 1.0}, "emb.cluster"),
        ({"shift": 1.0}, "emb.norm"),
    ],
)
def test_changes_are_drift(changed: dict[str, Any], seen: str) -> None:
    baseline = fitted(rows(600, 1))
    assert counted(rows(400, 2), baseline).drift(baseline)[seen]["psi"] < 0.1
    assert counted(rows(400, 2, **changed), baseline).drift(baseline)[seen]["psi"] > 0.25


def test_nothing_is_derived_where_nothing_is_to_be() -> None:
    columns = made.numbers(20, ["x"])
    assert derive(columns, ["comment"], {}) is columns
    texts = columns_of([{"comment": "a b"}] * 3)
    assert derive(texts, [], {}) is texts


def test_a_row_without_a_value_names_no_derived_feature() -> None:
    columns = columns_of(
        [{"comment": None, "emb": None}, {"comment": "", "emb": []}, {"comment": "ab", "emb": [3.0, 4.0]}]
    )
    found = derive(columns, ["comment"], {}).features
    assert found["comment.length"].numbers[1:].tolist() == [0.0, 2.0]
    assert found["comment.length"].absent is not None
    assert found["comment.length"].absent.tolist() == [True, False, False]
    assert found["comment.digits"].absent is not None
    assert found["comment.digits"].absent.tolist() == [True, True, False]
    assert found["emb.norm"].numbers[2] == 5.0
    assert found["emb.norm"].kinds.tolist() == [Kind.MISSING, Kind.MISSING, Kind.NUMBER]  # type: ignore[union-attr]


def test_vectors_of_another_length_have_no_distance() -> None:
    baseline = fitted(rows(200, 1))
    columns = columns_of([{"emb": [1.0] * 6}, {"emb": [1.0] * 5}])
    found = derive(columns, [], baseline.features).features
    assert np.isnan(found["emb.distance"].numbers).tolist() == [False, True]
    assert found["emb.cluster"].values is not None
    assert found["emb.cluster"].values[1] is None
    assert found["emb.norm"].kinds is Kind.NUMBER


def test_a_name_of_the_events_stays_theirs() -> None:
    columns = columns_of([{"comment": "a b", "comment.length": 77.0}])
    assert derive(columns, ["comment"], {}).features["comment.length"].numbers.tolist() == [77.0]
    baseline = fitted([{"comment": "a b", "comment.length": 77.0}] * 20)
    reference = baseline.features["comment.length"]
    assert isinstance(reference, NumberReference)
    assert reference.minimum == 77.0


def test_a_baseline_from_the_stream_has_what_one_from_a_file_has() -> None:
    records = rows(250, 1)
    sample = counted(records, None, 256).sample
    assert sample is not None
    data = ReferenceData(sample.features, sample.predictions)
    from_stream = fit("m", "1", data, created_at=0, origin="stream", text=["comment"])
    from_file = fitted(records)
    assert from_stream.features.keys() == from_file.features.keys()
    for name, own in from_file.features.items():
        if isinstance(own, NumberReference):
            other = from_stream.features[name]
            assert isinstance(other, NumberReference)
            assert other.edges == pytest.approx(own.edges, rel=1e-3)


def test_a_sample_keeps_as_many_embeddings_as_there_is_room_for() -> None:
    records = [{"a": [1.0] * 300, "b": [2.0] * 100} for _ in range(30)]
    whole = counted(records, None, 10).sample
    assert whole is not None
    kept = [(len(a), len(b)) for a, b in zip(whole.features["a"], whole.features["b"], strict=True)]
    assert kept == [(300, 100)] * 3 + [(0, 0)] * 7
    running = Totals()
    for start in range(0, 30, 4):
        part = PreparedPredictions(columns_of(records[start : start + 4]), None, 10, texts=["comment"])
        part.update([running], np.zeros(len(records[start : start + 4]), np.int64))
    assert running.sample is not None
    assert running.sample.features == whole.features


def test_embeddings_that_a_sample_had_no_room_for_are_not_missing() -> None:
    """Of 1,000 rows with 384 numbers a third is kept."""
    rng = np.random.default_rng(1)
    records = [{"x": float(vector[0]), "emb": vector.tolist()} for vector in rng.normal(size=(800, 40))]
    totals = counted(records[:400], None, 100)
    assert totals.sample is not None
    sample = totals.sample
    sample.features["emb"][30:] = [[] for _ in sample.features["emb"][30:]]
    baseline = fit("m", "1", ReferenceData(sample.features), created_at=0, origin="stream")
    distance = baseline.features["emb.distance"]
    assert isinstance(distance, NumberReference)
    assert (sum(distance.counts), distance.missing) == (30, 0)
    assert baseline.relations is not None
    assert baseline.relations.rows.shape == (30, 3)
    assert counted(records[400:], baseline).drift(baseline)["emb.distance"]["psi"] < 0.2


def test_embeddings_without_any_order_do_not_drift() -> None:
    """In many dimensions rows lie nearer to what they have made themselves than any new row does."""
    rng = np.random.default_rng(1)
    records = [{"emb": vector.tolist()} for vector in rng.normal(size=(900, 100))]
    drift = counted(records[400:], fitted(records[:400])).drift(fitted(records[:400]))
    assert {name: figures["drifted"] for name, figures in drift.items()} == {
        "emb.cluster": False,
        "emb.distance": False,
        "emb.norm": False,
    }


def test_long_texts_are_measured_whole() -> None:
    records = [{"comment": "word " * 200}] * 30
    sample = counted(records, None, 256).sample
    assert sample is not None
    assert sample.features["comment.length"] == [1000.0] * 30
    assert {len(text) for text in sample.features["comment"]} == {256}
    data = ReferenceData(sample.features)
    reference = fit("m", "1", data, created_at=0, origin="stream", text=["comment"]).features["comment.length"]
    assert isinstance(reference, NumberReference)
    assert reference.maximum == 1000.0

"""Whatever the traffic is, records decoded by their shapes become the columns that the general way makes of them."""

from typing import Any
from unittest.mock import patch

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.decoding.chunks import RawChunk
from app.decoding.columns import FeatureColumn, Kind, PredictionColumns
from app.decoding.decode import PredictionDecoder, decode_predictions
from app.decoding.gathered import NotPlain
from app.decoding.records import decode_prediction
from app.decoding.runs import Decoded
from app.decoding.shaped import decode_shaped
from app.decoding.shapes import Shapes
from app.settings import Settings
from tests.app.decoding.test_decode import DAMAGED, GOOD, NOW, chunk

PLAIN = GOOD | {
    "timestamp": "2026-11-20T12:00:00.123Z",
    "probabilities": {"reject": 0.2, "approve": 0.8},
    "latency_ms": 12.5,
    "segments": {"channel": "web", "grade": None},
}


def by_shape(raw: RawChunk, learned_from: list[Any], given_settings: Settings | None = None) -> Decoded:
    """Raises NotPlain."""
    own = given_settings or Settings()
    shapes = Shapes(own)
    shapes.learn([decode_prediction(orjson.dumps(value)) for value in learned_from])
    return decode_shaped(raw, shapes, own)


def _feature(column: FeatureColumn) -> Any:
    kinds = np.broadcast_to(np.asarray(column.kinds, np.int64), len(column.numbers))
    absent = np.zeros(len(kinds), np.bool_) if column.absent is None else column.absent
    return kinds.tolist(), [None if n != n else n for n in column.numbers.tolist()], column.values, absent.tolist()


def plain(columns: PredictionColumns) -> dict[str, Any]:
    """The columns in plain values, without segments that no row has."""
    features = {name: _feature(column) for name, column in columns.features.items()}
    shares = columns.probabilities
    return {
        "version": (columns.model, columns.version, columns.task),
        "times": (columns.offsets.tolist(), columns.timestamps.tolist()),
        "rows": (columns.ids, columns.failed.tolist(), columns.predicted),
        "numbers": [repr(column) for column in (columns.values.tolist(), columns.latency_ms.tolist())],
        "weights": None if columns.weights is None else columns.weights.tolist(),
        "probabilities": None if shares is None else (shares.classes, repr(shares.matrix.tolist())),
        "segments": {name: values for name, values in columns.segments.items() if any(values)},
        "features": features,
    }


def everything(decoded: Decoded) -> Any:
    runs = [(plain(run.columns), run.rows.tolist(), list(run.records())) for run in decoded.runs]
    return runs, sorted(decoded.rejects), decoded.times.tolist(), decoded.offsets.tolist()


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.floats(-1e6, 1e6), st.sampled_from(["a", "b"]))
NUMBERS = st.one_of(st.none(), st.floats(-1e6, 1e6))
TIMES = st.sampled_from(
    [
        NOW,
        NOW / 1000,
        "2026-11-20T12:00:00Z",
        "2026-11-20T12:00:59.5Z",
        "2026-11-20T12:00:00.123456+00:00",
        "2026-11-20T13:59:00+02:00",
        "2026-11-20t12:00:00z",
        "2026-11-20T12:00:60Z",
        "2031-01-01T00:00:00Z",
        "soon",
    ]
)
RECORDS = st.fixed_dictionaries(
    {
        "model": st.sampled_from(["credit", "credit", "other"]),
        "version": st.sampled_from(["1", "2"]),
        "prediction_id": st.uuids().map(str),
        "timestamp": st.one_of(st.just("2026-11-20T12:00:00.123Z"), TIMES),
    },
    optional={
        "features": st.dictionaries(st.sampled_from(["x", "y z", "é"]), st.one_of(NUMBERS, SCALARS), max_size=3),
        "prediction": st.one_of(st.sampled_from(["yes", "no"]), SCALARS),
        "probabilities": st.one_of(
            st.none(), st.fixed_dictionaries({"no": st.floats(0, 1), "yes": st.one_of(st.none(), st.floats(0, 1))})
        ),
        "latency_ms": NUMBERS,
        "segments": st.one_of(st.none(), st.dictionaries(st.sampled_from(["s", "t"]), SCALARS)),
        "error": st.one_of(st.none(), st.booleans(), st.just("timeout")),
        "weight": st.one_of(st.none(), st.floats(0.5, 9)),
        "predictions": st.one_of(st.none(), st.lists(SCALARS, max_size=2)),
        "errors": st.one_of(st.none(), st.just([None])),
        "unknown": SCALARS,
    },
)
DAMAGES = st.sampled_from([value for values in DAMAGED.values() for value in values if not isinstance(value, list)])


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.lists(st.one_of(RECORDS, RECORDS, RECORDS, DAMAGES), min_size=1, max_size=8), max_size=6),
    st.sampled_from([None, "classification", "regression"]),
    st.sampled_from([1, 3, 256]),
)
def test_every_chunk_is_decoded_as_the_general_way_does(
    chunks: list[list[Any]], task: str | None, portion: int
) -> None:
    own = Settings.model_validate({"models": {"credit": {"task": task} if task else {}}})
    decoder = PredictionDecoder(own)
    for values in chunks:
        decoder._pause = 0  # try the shapes each time
        with patch("app.decoding.shaped.PORTION", portion):
            assert everything(decoder.decode(chunk(values))) == everything(decode_predictions(chunk(values), own))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(RECORDS, DAMAGES), min_size=1, max_size=6), st.lists(RECORDS, min_size=1, max_size=6))
def test_a_shape_takes_only_what_it_decodes_alike(values: list[Any], learned_from: list[Any]) -> None:
    readable = []
    for value in learned_from:
        places = decode_predictions(chunk([value]), Settings()).rejects
        readable += [] if places else [value]
    raw = chunk(values)
    general = everything(decode_predictions(raw, Settings()))
    try:
        found = everything(by_shape(raw, readable or [PLAIN]))
    except NotPlain:
        found = general
    assert found == general


def test_plain_records_do_take_the_short_way() -> None:
    values = [PLAIN | {"prediction_id": f"p{place}", "latency_ms": None if place % 2 else 3} for place in range(50)]
    raw = chunk(values)
    assert everything(by_shape(raw, [PLAIN])) == everything(decode_predictions(raw, Settings()))


@pytest.mark.parametrize("models", [{}, {"credit": {"segments": []}}, {"credit": {"segments": ["channel", "region"]}}])
def test_segments_that_nobody_asked_for_are_not_made(models: dict[str, Any]) -> None:
    own = Settings(models=models)
    [run] = by_shape(chunk([PLAIN]), [PLAIN], own).runs
    wanted = own.model("credit").segments
    assert list(run.columns.segments) == (["channel"] if wanted is None or wanted else [])


@pytest.mark.parametrize("at", [0, 1, 255, 256, 599])
def test_portions_are_put_together(at: int) -> None:
    """One record in six hundred has what the others lack, of another version, or can't be read."""
    usual = {"prediction_id": "q", "model": "credit", "version": "1", "timestamp": NOW, "prediction": "yes"}
    usual["features"] = {"a": 1.5}
    rare = usual | {"probabilities": {"yes": 0.7, "no": 0.3}, "segments": {"s": "x"}, "weight": 2.0, "error": "late"}
    for one in (rare | {"latency_ms": 3.0}, usual | {"features": {}}, usual | {"version": "2"}, b"{"):
        values = [usual | {"prediction_id": str(place)} for place in range(600)]
        values[at] = one
        raw = chunk(values)
        assert everything(by_shape(raw, [rare, usual])) == everything(decode_predictions(raw, Settings()))


@pytest.mark.parametrize("values", [[], [b"{", None]])
def test_a_chunk_without_a_good_record_is_no_reason_to_go_the_general_way(values: list[Any]) -> None:
    raw = chunk(values)
    assert everything(by_shape(raw, [PLAIN])) == everything(decode_predictions(raw, Settings()))


def test_two_models_in_one_chunk_have_a_shape_each() -> None:
    price = {"prediction_id": "q", "model": "price", "version": "7", "timestamp": NOW / 1000, "prediction": 2.5}
    values = [PLAIN, price, PLAIN | {"prediction_id": "p2"}, price | {"prediction_id": "q2"}]
    raw = chunk(values)
    found = by_shape(raw, [PLAIN, price])
    assert [(run.columns.model, run.columns.task) for run in found.runs] == [
        ("credit", "classification"),
        ("price", "regression"),
    ]
    assert everything(found) == everything(decode_predictions(raw, Settings()))


def test_an_unreadable_record_does_not_cost_the_others_their_short_way() -> None:
    raw = chunk([PLAIN, b"{", None, PLAIN | {"prediction_id": 5}, PLAIN | {"prediction_id": "z"}])
    found = by_shape(raw, [PLAIN])
    assert [(reject.place, reject.reason) for reject in found.rejects] == [(1, "not_json"), (2, "empty"), (3, "schema")]
    assert everything(found) == everything(decode_predictions(raw, Settings()))


@pytest.mark.parametrize(
    "change",
    [
        {"features": {"income": 1, "new": 2}},
        {"features": {"income": "much", "age": 31, "region": "north"}},
        {"probabilities": {"approve": 1.0}},
        {"prediction": None, "error": None},
        {"timestamp": "2026-11-20T14:00:00+02:00"},
        {"timestamp": "2031-01-01T00:00:00Z"},
        {"prediction_ids": ["a"], "predictions": ["approve"]},
    ],
)
def test_what_does_not_fit_is_left_to_the_general_way(change: dict[str, Any]) -> None:
    with pytest.raises(NotPlain):
        by_shape(chunk([PLAIN, PLAIN | change]), [PLAIN])


def test_the_first_chunk_takes_the_short_way_but_for_a_sample() -> None:
    values = [PLAIN | {"prediction_id": f"p{place}"} for place in range(500)]
    with patch("app.decoding.decode._decode", side_effect=AssertionError("the long way")):
        decoded = PredictionDecoder(Settings()).decode(chunk(values))
    assert everything(decoded) == everything(decode_predictions(chunk(values), Settings()))


def test_traffic_that_changes_is_learned_and_then_fits() -> None:
    decoder = PredictionDecoder(Settings())
    for features in ({"a": 1}, {"a": 1, "b": "x"}, {"a": None}):
        decoder.decode(chunk([PLAIN | {"features": features}]))
    raw = chunk([PLAIN | {"features": {"b": "y"}}, PLAIN | {"features": {"a": 2.5}}])
    [run] = decode_shaped(raw, decoder._shapes, decoder.settings).runs
    assert (run.columns.features["b"].values, run.columns.features["a"].kinds.tolist()) == (["y", None], [0, 1])  # type: ignore[union-attr]


def test_traffic_that_never_fits_is_rarely_tried() -> None:
    decoder, tries = PredictionDecoder(Settings(models={"credit": {"max_features": 2}})), 0
    decoder._shapes.learn([decode_prediction(orjson.dumps(PLAIN | {"model": "other"}))])
    for _ in range(1000):
        tries += decoder._pause == 0
        decoder.decode(chunk([PLAIN]))
    assert tries <= 16


def test_models_without_end_do_not_fill_the_memory() -> None:
    shapes = Shapes(Settings())
    shapes.learn([decode_prediction(orjson.dumps(PLAIN | {"model": f"m{place}"})) for place in range(200)])
    assert len(shapes.of_type) == 64


def test_a_number_feature_is_one_column_without_raw_values() -> None:
    values = [PLAIN | {"features": {"a": 1, "b": None}}, PLAIN | {"features": {"a": 2.5, "b": None}}]
    [run] = by_shape(chunk(values), values).runs
    assert list(run.columns.features) == ["a", "b"]
    assert run.columns.features["a"].kinds is Kind.NUMBER
    assert run.columns.features["a"].values is None


@pytest.mark.parametrize("value", [1.5, "text"])
def test_a_null_is_told_apart_from_a_feature_that_is_not_there(value: Any) -> None:
    rows: list[dict[str, Any]] = [{"a": value, "b": 1.0}, {"a": None}, {}]
    values = [PLAIN | {"features": row} for row in rows]
    for decoded in (by_shape(chunk(values), values), decode_predictions(chunk(values), Settings())):
        features = decoded.runs[0].columns.features
        assert [np.asarray(features[name].absent).tolist() for name in "ab"] == [
            [False, False, True],
            [False, True, True],
        ]

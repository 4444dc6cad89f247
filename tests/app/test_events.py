"""The events of the contract, and that the fast structs read what the contract allows."""

import json
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel, ValidationError

from app.decoding.records import decode_label, decode_prediction, decode_resource
from app.events import (
    TOPICS,
    Event,
    Label,
    LabelBatch,
    Prediction,
    PredictionBatch,
    Resource,
    RetrainingRequest,
    Window,
)
from app.events.predictions import BATCH, PREDICTION
from app.events.windows import COHORT, WINDOW
from app.schemas import topic_schema

EVENTS = [(topic, event) for topic, found in TOPICS.items() for event in found.events]
EXAMPLES = [(topic, event, example) for topic, event in EVENTS for example in event.model_json_schema()["examples"]]
DECODERS = {"predictions": decode_prediction, "labels": decode_label, "resources": decode_resource}
MINIMAL = {"prediction_id": "a", "model": "m", "version": "1", "timestamp": 1795176000}
ROWS = {"prediction_ids": ["a", "b"], "model": "m", "version": "1", "timestamp": 1795176000}
TRUTH = {"prediction_ids": ["a", "b"]}
READING = {"model": "m", "version": "1", "instance": "i", "timestamp": "2026-11-20T12:00:00+01:00"}

GOOD: list[tuple[str, type[Event], dict[str, Any]]] = [
    *EXAMPLES,
    ("predictions", Prediction, MINIMAL | {"prediction": "yes"}),
    ("predictions", Prediction, MINIMAL | {"prediction": 0}),
    ("predictions", Prediction, MINIMAL | {"prediction": False}),
    ("predictions", Prediction, MINIMAL | {"error": True}),
    ("predictions", Prediction, MINIMAL | {"prediction": 1.5, "features": {"e": [0.1, 2], "b": True, "n": None}}),
    ("predictions", Prediction, MINIMAL | {"prediction": 1, "something": "else"}),
    ("predictions", PredictionBatch, ROWS | {"errors": ["timeout", True]}),
    ("predictions", PredictionBatch, ROWS | {"predictions": [1, None], "errors": [None, "x"], "weights": [None, 2]}),
    ("predictions", PredictionBatch, ROWS | {"predictions": [1, 2], "latency_ms": [1, None], "segments": {"a": "b"}}),
    ("predictions", PredictionBatch, ROWS | {"predictions": [1, 2], "features": {"e": [[1, 2], None]}}),
    ("labels", Label, {"prediction_id": "a", "label": False}),
    ("labels", LabelBatch, TRUTH | {"labels": [1, "b"], "timestamps": [1795176000000, "2026-11-20T12:00:00Z"]}),
    ("resources", Resource, READING | {"gpu_percent": 0}),
]
BAD: list[tuple[str, type[Event], dict[str, Any]]] = [
    *(("predictions", Prediction, PREDICTION | {name: None}) for name in ("prediction_id", "model", "version")),
    ("predictions", Prediction, MINIMAL),
    ("predictions", Prediction, MINIMAL | {"prediction": None, "error": None}),
    ("predictions", Prediction, MINIMAL | {"prediction": ["yes"]}),
    ("predictions", Prediction, MINIMAL | {"prediction": "yes", "prediction_id": 7}),
    ("predictions", Prediction, MINIMAL | {"prediction": "yes", "version": 3}),
    ("predictions", Prediction, MINIMAL | {"prediction": "yes", "version": ""}),
    ("predictions", Prediction, MINIMAL | {"prediction": "yes", "timestamp": True}),
    ("predictions", Prediction, MINIMAL | {"prediction": "yes", "features": {"a": {"b": 1}}}),
    ("predictions", Prediction, MINIMAL | {"prediction": "yes", "probabilities": {"yes": 1.2}}),
    ("predictions", Prediction, MINIMAL | {"prediction": "yes", "latency_ms": "12"}),
    ("predictions", Prediction, MINIMAL | {"prediction": "yes", "weight": 0}),
    ("predictions", PredictionBatch, ROWS),
    ("predictions", PredictionBatch, BATCH | {"timestamps": None}),
    ("predictions", PredictionBatch, BATCH | {"features": {"income": 41000.0}}),
    ("labels", Label, {"prediction_id": "a"}),
    ("labels", Label, {"prediction_id": "a", "label": None}),
    ("labels", Label, {"label": "x"}),
    ("labels", LabelBatch, TRUTH | {"labels": [1, None]}),
    ("resources", Resource, READING),
    ("resources", Resource, READING | {"cpu_percent": "42"}),
    ("windows", Window, WINDOW | {"kind": "sliding"}),
    ("windows", Window, WINDOW | {"revision": 1}),
    ("windows", Window, {name: value for name, value in COHORT.items() if name != "revision"}),
    ("windows", Window, WINDOW | {"metrics": {"accuracy": None}}),
]


def accepts(event: type[BaseModel], value: dict[str, Any]) -> bool:
    try:
        event.model_validate_json(json.dumps(value))
    except ValidationError:
        return False
    return True


def fits(event: type[BaseModel], value: dict[str, Any]) -> bool:
    return jsonschema.Draft202012Validator(event.model_json_schema()).is_valid(value)


@pytest.mark.parametrize(("topic", "event", "value"), GOOD)
def test_what_the_contract_allows(topic: str, event: type[Event], value: dict[str, Any]) -> None:
    assert accepts(event, value)
    assert fits(event, value)
    assert jsonschema.Draft202012Validator(topic_schema(topic)).is_valid(value)


@pytest.mark.parametrize(("topic", "event", "value"), [case for case in GOOD if case[0] in DECODERS])
def test_what_the_contract_allows_is_read(topic: str, event: type[Event], value: dict[str, Any]) -> None:
    record = DECODERS[topic](json.dumps(value).encode())
    given = {name for name in value if name in event.model_fields}
    assert all(getattr(record, name) is not None for name in given if value[name] is not None)


@pytest.mark.parametrize(("topic", "event", "value"), BAD)
def test_what_it_does_not_allow(topic: str, event: type[Event], value: dict[str, Any]) -> None:
    assert not accepts(event, value)
    assert not fits(event, value)


@pytest.mark.parametrize(
    ("event", "value"),
    [
        (Prediction, MINIMAL | {"prediction": 1, "timestamp": "2026-11-20T12:00:00"}),
        (Prediction, MINIMAL | {"prediction": 1, "timestamp": "yesterday"}),
        (Prediction, MINIMAL | {"prediction": 1, "timestamp": 1e300}),
        (PredictionBatch, ROWS | {"predictions": [1]}),
        (PredictionBatch, BATCH | {"features": {"income": [1.0]}}),
        (PredictionBatch, BATCH | {"segments": {"channel": ["web", "web", "web"]}}),
        (LabelBatch, TRUTH | {"labels": [1]}),
        (LabelBatch, TRUTH | {"labels": [1, 2], "timestamps": [1]}),
    ],
)
def test_what_a_json_schema_has_no_words_for(event: type[Event], value: dict[str, Any]) -> None:
    assert not accepts(event, value)


@pytest.mark.parametrize("word", ["NaN", "Infinity", "1e999"])
def test_numbers_are_finite(word: str) -> None:
    text = json.dumps(MINIMAL | {"prediction": 1, "latency_ms": 0}).replace('"latency_ms": 0', f'"latency_ms": {word}')
    with pytest.raises(ValidationError):
        Prediction.model_validate_json(text)


@pytest.mark.parametrize("name", ["model", "request_id", "trigger", "data", "requested_at"])
def test_a_request_that_lacks_something_names_it(name: str) -> None:
    request = RetrainingRequest.model_json_schema()["examples"][0]
    with pytest.raises(ValidationError, match=name):
        RetrainingRequest.model_validate({key: value for key, value in request.items() if key != name})


def test_every_field_of_the_structs_is_described() -> None:
    for topic, decoder in DECODERS.items():
        described = {name for event in TOPICS[topic].events for name in event.model_fields}
        assert set(decoder.__self__.type.__struct_fields__) == described

"""Completed pairs become the columns of their predictions, and examples that say what was sent."""

from typing import Any

import numpy as np
import orjson

from app.decoding.decode import PredictionDecoder, decode_predictions
from app.events import Examples
from app.joining.entries import Entry, Pair, Seen
from app.joining.layouts import Layouts
from app.joining.pairs import PairRun, examples, pair_runs
from app.settings import Settings

NOW = 1_795_176_000_000
RECORD = {
    "model": "credit",
    "version": "3",
    "timestamp": "2026-11-20T12:00:00.123Z",
    "features": {"income": 41000.5, "region": "north", "member": True, "gone": None},
    "prediction": "approve",
    "probabilities": {"reject": 0.25, "approve": 0.75},
    "segments": {"channel": "web"},
}


def pair(row: int, label: Any = "approve", **changes: Any) -> Pair:
    record = RECORD | {"prediction_id": f"p{row}"} | changes
    return Pair(row, Entry(row, NOW + row, 5, orjson.dumps(record), labels=[Seen(9, NOW + 60_000 + row, 7, label)]))


def runs(*pairs: Pair, settings: Settings | None = None) -> list[PairRun]:
    return list(pair_runs(pairs, PredictionDecoder(settings or Settings()).decode, Layouts()))


def example(run: PairRun, settings: Settings | None = None) -> dict[str, Any]:
    offsets = np.arange(run.pairs.size) + 100
    [message] = examples(run, "labels", offsets, settings or Settings())
    sent: dict[str, Any] = orjson.loads(orjson.dumps(message.value, option=orjson.OPT_SERIALIZE_NUMPY))
    Examples.model_validate_json(orjson.dumps(sent))
    return sent


def test_an_example_says_what_was_sent_and_what_was_true() -> None:
    [run] = runs(pair(0), pair(1, "reject", features={"income": None, "region": "south"}, probabilities=None))
    assert example(run) == {
        "model": "credit",
        "version": "3",
        "prediction_ids": ["p0", "p1"],
        "timestamps": [NOW, NOW + 1],
        "label_timestamps": [NOW + 60_000, NOW + 60_001],
        "features": {"income": [41000.5, None], "member": [True, None], "region": ["north", "south"]},
        "predictions": ["approve", "approve"],
        "probabilities": {"approve": [0.75, None], "reject": [0.25, None]},
        "labels": ["approve", "reject"],
        "segments": {"channel": ["web", "web"]},
        "completed_by": [["labels", 100], ["labels", 101]],
    }


def test_classes_that_are_no_text_stay_what_they_are() -> None:
    [run] = runs(pair(0, label=True, prediction=True), pair(1, label=False, prediction=True))
    assert run.pairs.predicted == ["true", "true"]
    sent = example(run)
    assert (sent["predictions"], sent["labels"]) == ([True, True], [True, False])


def test_the_same_example_comes_of_every_way_to_decode() -> None:
    decoder = PredictionDecoder(Settings())
    pairs = [pair(row) for row in range(5)]
    first, second = (next(pair_runs(pairs, decoder.decode, Layouts())) for _ in range(2))
    [general] = pair_runs(pairs, lambda chunk: decode_predictions(chunk, Settings()), Layouts())
    assert example(first) == example(second) == example(general)


def test_a_prediction_that_failed_has_nothing_to_compare() -> None:
    [run] = runs(pair(0, prediction=None, error="timeout"), pair(1), pair(2, prediction=None, error=True))
    assert (run.pairs.size, run.rows.tolist(), run.predictions.ids) == (1, [1], ["p1"])
    assert runs(pair(0, prediction=None, error="timeout")) == []
    assert runs() == []


def test_versions_and_tasks_are_told_apart_with_their_own_rows() -> None:
    found = runs(pair(0), pair(1, 2.5, model="price", prediction=2.0, probabilities=None), pair(2, version="4"))
    assert [(run.pairs.model, run.pairs.version, run.rows.tolist()) for run in found] == [
        ("credit", "3", [0]),
        ("price", "3", [1]),
        ("credit", "4", [2]),
    ]
    assert found[1].pairs.label_values.tolist() == [2.5]


def test_a_time_that_a_batch_gave_in_small_numbers_is_still_milliseconds() -> None:
    early = Entry(
        0, 5000, 5, orjson.dumps(RECORD | {"prediction_id": "p", "timestamp": 5000}), labels=[Seen(9, 7000, 7, "x")]
    )
    [run] = runs(Pair(0, early))
    assert (run.predictions.timestamps.tolist(), run.pairs.lag_ms.tolist()) == ([5000], [2000])


def test_a_pair_counts_when_the_later_of_both_came() -> None:
    [run] = runs(pair(0))
    assert (run.times.tolist(), run.watermarks.tolist(), run.label_times.tolist()) == (
        [NOW + 60_000],
        [7],
        [NOW + 60_000],
    )

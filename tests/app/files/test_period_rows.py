from typing import Any

import numpy as np
import orjson
import pytest

from app.decoding.chunks import RawChunk
from app.drift.fitting import fit
from app.files.period_rows import PeriodRows
from app.settings import Settings

JULY = 1_782_864_000_000


def event(number: int, **more: Any) -> dict[str, Any]:
    return {
        "prediction_id": str(number),
        "model": "credit",
        "version": "1",
        "timestamp": JULY + number * 1000,
        "features": {"income": float(number), "region": "north"},
        "prediction": "yes",
        "probabilities": {"yes": 0.75, "no": 0.25},
        "segments": {"channel": "web"},
    } | more


def chunk(events: list[dict[str, Any]]) -> RawChunk:
    values = [orjson.dumps(one) for one in events]
    return RawChunk(np.arange(len(values)), np.full(len(values), JULY + 10**6), [None] * len(values), values)


def rows(start: int = 10, end: int = 20, most: int = 1000, **settings: Any) -> PeriodRows:
    """Of seconds `start` to `end` of the events."""
    own = Settings.model_validate({"models": {"credit": settings}})
    return PeriodRows(own, "credit", "1", JULY + start * 1000, JULY + end * 1000, most)


def test_what_lies_in_the_period() -> None:
    #  events    0 ... 9 | 10 ... 19 | 20 ... 29
    #                      the period
    found = rows()
    found.predictions(chunk([event(i) for i in range(30)]))
    data = found.data()
    assert data.timestamps == [JULY + i * 1000 for i in range(10, 20)]
    assert data.features["income"] == [float(i) for i in range(10, 20)]
    assert (data.predictions, data.segments["channel"]) == (["yes"] * 10, ["web"] * 10)
    assert data.probabilities == {"no": [0.25] * 10, "yes": [0.75] * 10}
    assert (found.seen, found.newest, list(data.labels)) == (10, JULY + 29_000, [])
    assert fit("credit", "1", data, created_at=0, origin="period").size == 10


def test_neither_others_nor_failures_nor_what_comes_twice() -> None:
    found = rows()
    others = [event(12, prediction_id="b", version="2"), event(12, prediction_id="c", model="price")]
    failed = event(13, prediction_id="d", prediction=None, error="timeout")
    found.predictions(chunk([event(11), event(11), *others, failed]))
    found.predictions(chunk([event(11)]))
    assert (found.data().size, found.seen) == (1, 1)


def test_batches_count_as_their_rows() -> None:
    batch = {
        "prediction_ids": ["a", "b"],
        "model": "credit",
        "version": "1",
        "timestamps": [JULY + 5_000, JULY + 15_000],
        "features": {"income": [1.0, None]},
        "predictions": ["yes", "no"],
    }
    found = rows()
    found.predictions(chunk([batch]))
    assert found.data().predictions == ["no"]


def test_labels_are_those_of_chosen_rows() -> None:
    found = rows()
    found.predictions(chunk([event(i) for i in range(10, 14)]))
    found.example(
        {"model": "credit", "version": "1", "prediction_ids": ["10", "12", "99"], "labels": ["no", True, "x"]}
    )
    found.example({"model": "price", "version": "1", "prediction_ids": ["11"], "labels": ["no"]})
    assert list(found.data().labels) == ["no", None, "true", None]


def test_a_regression_has_numbers() -> None:
    found = rows(task="regression")
    found.predictions(chunk([event(i, prediction=float(i), probabilities=None) for i in range(10, 13)]))
    found.example({"model": "credit", "version": "1", "prediction_ids": ["10", "11"], "labels": [1, "x"]})
    data = found.data()
    assert (data.predictions, list(data.labels)) == ([10.0, 11.0, 12.0], [1.0, None, None])


@pytest.mark.parametrize("cut", [1, 7, 400])
def test_the_same_rows_in_whatever_order_they_are_read(cut: int) -> None:
    events = [event(i) for i in range(400)]
    whole, parts = rows(0, 400, most=50), rows(0, 400, most=50)
    whole.predictions(chunk(events))
    for start in reversed(range(0, 400, cut)):
        parts.predictions(chunk(events[start : start + cut]))
    assert whole.data() == parts.data()
    assert whole.data().size == 50


def test_an_empty_period() -> None:
    found = rows()
    found.predictions(chunk([event(1)]))
    assert (found.seen, found.newest_text()) == (0, "2026-07-01T00:00:01.000Z")
    with pytest.raises(ValueError, match="no rows"):
        found.data()

"""Batches that are counted together count as they would alone."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.decoding.chunks import RawChunk
from app.decoding.decode import decode_predictions
from app.decoding.runs import Decoded
from app.drift.timeline import NOTHING
from app.settings import Settings
from app.sources.watermarks import earlier_maximum
from app.windowing.blocks import Block
from tests.app.decoding.test_decode import BATCH, GOOD, NOW, chunk, decode

OTHER = BATCH | {"prediction_ids": ["d", "e", "f"]}


def test_batches_with_the_same_columns_are_one_run() -> None:
    decoded = decode(BATCH, OTHER)
    (run,) = decoded.runs
    assert run.columns.ids == ["a", "b", "c", "d", "e", "f"]
    assert run.columns.offsets.tolist() == [100, 100, 100, 101, 101, 101]
    assert run.columns.timestamps.tolist() == [NOW, NOW + 1, NOW + 2] * 2
    assert run.columns.segments == {"channel": ["web"] * 6}
    assert run.columns.latency_ms.tolist() == [1.0, 2.0, 3.0] * 2
    assert run.rows.tolist() == list(range(6))


@pytest.mark.parametrize(
    "more",
    [
        {"features": {"income": [1.0, 2.0, 3.0]}},
        {"segments": None},
        {"probabilities": {"approve": [0.1, 0.2, 0.3]}},
        {"version": "4"},
    ],
    ids=str,
)
def test_other_columns_or_another_version_are_another_run(more: dict[str, Any]) -> None:
    decoded = decode(BATCH, OTHER | more, BATCH | {"prediction_ids": ["g", "h", "i"]})
    ids = sorted(run.columns.ids for run in decoded.runs)
    if "version" in more:  # the first and the last lie side by side among those of their version
        assert ids == [["a", "b", "c", "g", "h", "i"], ["d", "e", "f"]]
    else:
        assert ids == [["a", "b", "c"], ["d", "e", "f"], ["g", "h", "i"]]


def test_together_they_are_not_larger_than_they_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.decoding.adjoining.MOST_ROWS", 7)
    batches = [BATCH | {"prediction_ids": [f"{place}{row}" for row in "abc"]} for place in range(5)]
    assert [run.columns.size for run in decode(*batches).runs] == [6, 6, 3]


def test_a_batch_without_rows_is_nothing_beside_others() -> None:
    empty = {name: [] if isinstance(value, list) else value for name, value in BATCH.items()}
    empty |= {"features": {"income": [], "region": []}, "probabilities": {"approve": [], "reject": []}}
    decoded = decode(empty, BATCH, empty)
    assert [run.columns.ids for run in decoded.runs] == [["a", "b", "c"]]
    assert decode(empty, empty).runs == []


scalars = st.sampled_from([None, 1.5, -2.0, 7.0, "red", "", "blue", True, False])
shares = st.sampled_from([0.1, 0.25, 0.3, 0.7])


@st.composite
def batch(draw: st.DrawFn) -> dict[str, Any]:
    rows = draw(st.integers(1, 4))

    def column(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=rows, max_size=rows))

    made: dict[str, Any] = {
        "model": "credit",
        "version": "3",
        "prediction_ids": column(st.uuids().map(str)),
        "timestamps": column(st.integers(NOW, NOW + 40_000)),
        "features": {name: column(scalars) for name in draw(st.sampled_from([["x"], ["x", "y"], ["y", "x"]]))},
        "predictions": column(st.sampled_from(["approve", "reject", True, 1.0, 2.5])),
    }
    optional = {
        "probabilities": lambda: {"approve": column(shares), "reject": column(shares)},
        "latency_ms": lambda: draw(st.sampled_from([3.25, None])) if draw(st.booleans()) else column(shares),
        "segments": lambda: {"channel": "web" if draw(st.booleans()) else column(scalars)},
        "errors": lambda: column(st.sampled_from([None, "timeout", False])),
        "error": lambda: draw(st.sampled_from([None, "down"])),
        "weights": lambda: column(st.sampled_from([None, 0.1, 3.0])),
        "weight": lambda: 0.7,
    }
    for name in draw(st.sets(st.sampled_from(sorted(optional)))):
        made[name] = optional[name]()
    return made


def parts(chunks: list[RawChunk]) -> tuple[bytes, list[Any]]:
    """What a block says of them, and each row as a record of its own."""
    own = Settings(models={"credit": {"task": "classification"}})
    block, watermark = Block(("predictions", 0), 0, own, lambda model, version: NOTHING), None
    kept: list[Any] = []
    for one in chunks:
        decoded: Decoded = decode_predictions(one, own)
        assert not decoded.rejects
        watermarks = earlier_maximum(decoded.times, decoded.offsets, watermark)
        for run in decoded.runs:
            block.count_predictions(run.columns, watermarks[run.rows], None)
            kept += [_weighed(orjson.loads(record or b"")) for record in run.records()]
        watermark = int(max(decoded.times.max(), watermark or 0))
    said = [message.value for message in block.parts(99)]
    return orjson.dumps(said, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_SORT_KEYS), kept


def _weighed(record: dict[str, Any]) -> dict[str, Any]:
    """A row without a weight weighs 1; beside one that has a weight it says so."""
    return record | {"weight": record.get("weight") or 1.0}


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(batch(), st.just(GOOD)), min_size=2, max_size=6))
def test_together_they_count_as_each_alone(records: list[dict[str, Any]]) -> None:
    assert parts([chunk(records, 0)]) == parts([chunk([record], place) for place, record in enumerate(records)])

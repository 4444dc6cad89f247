"""Pairs of packed predictions are those that their JSON would have made, whatever the traffic is."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.decoding.decode import decode_predictions
from app.joining.entries import Pair
from app.joining.join import Join
from app.joining.layouts import Layout, Layouts
from app.joining.packed import mark_of
from app.joining.pairs import PairRun, examples, pair_runs
from app.joining.rows import join_predictions
from app.settings import Settings
from tests.app.decoding.test_decode import NOW, chunk
from tests.app.decoding.test_shaped import PLAIN, RECORDS, plain
from tests.app.joining.test_join import EARLY, Memory

SETTINGS = Settings()
BATCH = {
    "model": "credit",
    "version": "1",
    "prediction_ids": ["b1", "b2", "b3"],
    "timestamp": NOW,
    "features": {"x": [1.5, None, 3], "vector": [[1, 2], None, [3, 4]], "é": ["a", "b", None]},
    "predictions": ["yes", None, "no"],
    "errors": [None, "timeout", None],
    "weights": [1, 2, 0.5],
    "probabilities": {"no": [0.1, None, 0.9], "yes": [0.9, None, 0.1]},
    "segments": {"s": ["u", None, "v"]},
}


class NoLayouts(Layouts):
    """Everything is kept as JSON."""

    def mark(self, layout: Layout) -> bytes | None:
        return None


def joined(chunks: Sequence[Sequence[Any]], layouts: Layouts) -> tuple[Memory, list[Pair]]:
    """Every prediction gets a label, all of which come in one chunk."""
    store = Memory()
    store.layouts = layouts
    join, ids = Join(store, SETTINGS.labels.horizon_ms), []
    for number, values in enumerate(chunks):
        raw = chunk(list(values))
        raw.offsets[:] += 1000 * number
        decoded = decode_predictions(raw, SETTINGS)
        join_predictions(join, decoded, np.full(len(decoded.times), EARLY), SETTINGS)
        ids += [identity for run in decoded.runs for identity in run.columns.ids]
    rows = np.arange(len(ids))
    labels = ["yes" if row % 3 else "no" for row in range(len(ids))]
    return store, join.labels(ids, rows.tolist(), np.full(len(ids), NOW + 5), labels, np.full(len(ids), EARLY)).pairs


def told(run: PairRun) -> Any:
    """All that is made of a run; a pair says nothing of its prediction's offset, latency and error."""
    columns = plain(run.predictions)
    columns["times"], columns["numbers"] = columns["times"][1], columns["numbers"][0]
    columns["rows"] = columns["rows"][0], columns["rows"][2]
    # None means the same, and which one it is depends on the rows beside.
    columns["weights"] = columns["weights"] or [1.0] * run.pairs.size
    [message] = examples(run, "labels", np.arange(run.pairs.size), SETTINGS)
    sent = orjson.loads(orjson.dumps(message.value, option=orjson.OPT_SERIALIZE_NUMPY))
    # As in `plain`: a column of segments in which no row has a value may be there or not.
    sent["segments"] = {name: values for name, values in sent["segments"].items() if any(values)}
    return columns, run.labels, run.times.tolist(), run.watermarks.tolist(), run.rows.tolist(), sent


def runs(chunks: Sequence[Sequence[Any]], layouts: Layouts) -> list[Any]:
    store, pairs = joined(chunks, layouts)
    found = pair_runs(pairs, lambda raw: decode_predictions(raw, SETTINGS), store.layouts)
    return sorted(map(told, found), key=lambda one: str(one[0]["version"]))


ONE_MODEL = RECORDS.map(lambda record: record | {"model": "credit", "version": "1", "timestamp": NOW})


@settings(max_examples=400)
@given(st.lists(st.lists(st.one_of(RECORDS, ONE_MODEL), min_size=1, max_size=6), min_size=1, max_size=3))
def test_packed_or_as_json_the_pairs_are_the_same(chunks: list[list[Any]]) -> None:
    assert runs(chunks, Layouts()) == runs(chunks, NoLayouts())


@pytest.mark.parametrize("before", [[], [[PLAIN | {"model": "credit", "version": "1", "prediction_id": "p"}]]])
def test_the_rows_of_a_batch_are_packed_alike(before: list[list[Any]]) -> None:
    """Beside another layout of the version they go by JSON."""
    chunks = [*before, [BATCH]]
    [found] = runs(chunks, Layouts())
    assert [found] == runs(chunks, NoLayouts())
    assert found[0]["rows"][0][-2:] == ["b1", "b3"]


def test_what_is_packed_is_half_as_large_and_says_how_it_lies() -> None:
    features = {f"x{place}": 1234.5 + place for place in range(10)}
    records = [PLAIN | {"prediction_id": f"p{number}", "features": features} for number in range(3)]
    packed, pairs = joined([records], Layouts())
    _, plain_pairs = joined([records], NoLayouts())
    assert {mark_of(pair.entry.record) for pair in pairs} == set(packed.layouts.unwritten)
    assert {mark_of(pair.entry.record) for pair in plain_pairs} == {None}
    assert all(
        2 * len(one.entry.record) < len(other.entry.record) for one, other in zip(pairs, plain_pairs, strict=True)
    )


def test_traffic_that_names_other_features_all_the_time_is_kept_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.joining.layouts.MOST_LAYOUTS", 2)
    chunks = [[PLAIN | {"prediction_id": f"p{number}", "features": {f"x{number}": 1}}] for number in range(4)]
    _, pairs = joined(chunks, Layouts())
    assert [mark_of(pair.entry.record) is None for pair in pairs] == [False, False, True, True]
    assert runs(chunks, Layouts()) == runs(chunks, NoLayouts())

import msgspec
import numpy as np
import orjson
import pytest

from app.decoding.records import decode_label, decode_prediction, decode_resource
from app.simulation.service import Served, Service
from app.simulation.world import applications, era
from app.timestamps import milliseconds
from app.training import tabular
from app.training.tabular import TabularModel

TIMES = list(range(1_700_000_000_000, 1_700_000_020_000, 5))


@pytest.fixture(scope="module")
def model() -> TabularModel:
    past = applications(np.random.default_rng(0), era(0), 1500)
    return tabular.fit("classification", past.features, past.outcomes)


@pytest.fixture(scope="module")
def served(model: TabularModel) -> list[Served]:
    return Service("credit", "run1", 5, "1", model).serve(TIMES, era(0))


def test_every_record_is_one_of_the_contract(model: TabularModel, served: list[Served]) -> None:
    for one in served:
        record = decode_prediction(orjson.dumps(one.prediction))
        assert (record.error is None) == (record.prediction is not None)
        if one.label is not None:
            assert decode_label(orjson.dumps(one.label)).prediction_id == record.prediction_id
    for reading in Service("credit", "run1", 5, "1", model).resources(TIMES[0], 300):
        assert msgspec.structs.asdict(decode_resource(orjson.dumps(reading)))["memory_bytes"] > 1e8


def test_a_request_is_served_at_its_time_and_labelled_later(served: list[Served]) -> None:
    assert [milliseconds(one.prediction["timestamp"]) for one in served] == TIMES
    delays = [one.label_ms - one.timestamp_ms for one in served if one.label is not None]
    assert min(delays) >= 1000
    assert 2000 < np.median(delays) < 3500
    assert all(milliseconds(one.label["timestamp"]) == one.label_ms for one in served if one.label)


def test_some_fail_and_some_are_never_labelled(served: list[Served]) -> None:
    failed = [one for one in served if "error" in one.prediction]
    assert 0 < len(failed) < 0.01 * len(served)
    assert all(one.label is None for one in failed)
    assert 0.02 < np.mean([one.label is None for one in served]) < 0.06


def test_ids_are_of_the_run_and_never_come_twice(model: TabularModel) -> None:
    service = Service("credit", "run1", 5, "1", model)
    ids = [one.prediction["prediction_id"] for _ in range(2) for one in service.serve(TIMES[:100], era(0))]
    assert len(set(ids)) == 200
    assert all(name.startswith("run1-") for name in ids)


def test_the_same_seed_serves_the_same(model: TabularModel, served: list[Served]) -> None:
    assert Service("credit", "run1", 5, "1", model).serve(TIMES, era(0)) == served


def test_no_request_is_no_record(model: TabularModel) -> None:
    assert Service("credit", "run1", 5, "1", model).serve([], era(0)) == []

import numpy as np
import pytest

from app.decoding.columns import ResourceColumns
from app.statistics.prepared import update_resources
from app.statistics.totals import Totals


def test_means_per_instance_and_over_instances() -> None:
    nan = np.nan
    columns = ResourceColumns(
        model="m",
        version="1",
        timestamps=np.arange(4),
        instances=["a", "b", "a", "a"],
        cpu_percent=np.array([10, 80, 20, 30.0]),
        memory_bytes=np.array([1e9, nan, 3e9, nan]),
        gpu_percent=np.array([nan, 50, nan, nan]),
        gpu_memory_bytes=np.full(4, nan),
    )
    totals = Totals()
    update_resources([totals], np.zeros(4, np.int64), columns)
    assert totals.instances() == {
        "a": {"cpu_percent": 20, "memory_bytes": 2e9},
        "b": {"cpu_percent": 80, "gpu_percent": 50},
    }
    assert totals.metrics(60) == {"cpu_percent": 50, "memory_bytes": 2e9, "gpu_percent": 50}
    again = Totals.from_state(totals.state())
    again.merge(totals)
    assert again.instances() == totals.instances()


def test_instances_beyond_the_bound_are_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.statistics.resources.MAX_INSTANCES", 2)
    figures = [np.arange(5.0) for _ in range(4)]
    columns = ResourceColumns("m", "1", np.arange(5), ["a", "b", "c", "d", "a"], *figures)
    totals = Totals()
    update_resources([totals], np.zeros(5, np.int64), columns)
    assert {name: told["cpu_percent"] for name, told in totals.instances().items()} == {"a": 2, "b": 1, "(other)": 2.5}

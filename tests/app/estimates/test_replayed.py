"""A regression's expected errors through the way that records and columns take, with labels that come later."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from app.drift.baseline import Baseline
from app.drift.fitting import ReferenceData, fit
from app.files.layout import Wishes
from tests.app.replay import made

ROWS = 4000


def errors(rows: int, seed: int, low: float) -> dict[str, Any]:
    """Prices whose errors grow with the age of the car, in two regions."""
    rng = np.random.default_rng(seed)
    age = rng.uniform(low, 10, rows)
    said = rng.normal(100, 20, rows)
    at = made.START + np.arange(rows) * 40
    return {
        "prediction_id": [f"id-{place}" for place in range(rows)],
        "timestamp": pa.array(at).cast(pa.timestamp("ms", "UTC")),
        "prediction": said,
        "label": said + rng.normal(0, 1 + age),
        "label_timestamp": pa.array(at + rng.exponential(5_000, rows).astype(np.int64)),
        "age": age,
        "region": np.array(["north", "south"])[rng.integers(0, 2, rows)],
    }


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    columns = errors(20_000, 1, 0.0)
    data = ReferenceData(
        features={"age": columns["age"].tolist(), "region": columns["region"].tolist()},
        predictions=columns["prediction"].tolist(),
        labels=columns["label"].tolist(),
    )
    return fit("prices", "1", data, created_at=0, origin="file")


@pytest.mark.parametrize("replay", [made.by_records, made.by_columns])
def test_errors_are_expected_before_labels_come_and_held_against_them(
    replay: Any, baseline: Baseline, tmp_path: Path
) -> None:
    columns = errors(ROWS, 2, 5.0)
    found = replay(
        made.write(tmp_path / "prices.parquet", columns), Wishes("prices", "1", "regression"), given=baseline
    )
    windows = [one for one in found.values("windows") if one["kind"] == "tumbling" and not one["segment"]]
    real = float(np.abs(columns["label"] - columns["prediction"]).mean())
    told = [one["metrics"]["estimated_mae"] for one in windows if one["predictions"] > 1000]
    assert told == pytest.approx([real] * len(told), rel=0.08)
    held = [one["metrics"]["estimate_error"] for one in windows if "estimate_error" in one["metrics"]]
    assert held
    assert max(map(abs, held)) < 0.1 * real
    # Cars have become older, so errors have grown, and nothing else has moved.
    impact = next(one["impact"] for one in windows if one["predictions"] > 1000)
    assert impact["metric"] == "mae"
    assert impact["estimated"] > 1
    assert impact["features"][0]["feature"] == "age"
    assert impact["features"][0]["share"] == pytest.approx(1, abs=0.05)

"""Records with mistakes in their data, as they come, to what their window and its alerts say of them."""

from typing import Any

import numpy as np
import orjson
import pytest

from app.decoding.chunks import RawChunk
from app.decoding.decode import PredictionDecoder
from app.drift.baseline import Baseline
from app.drift.fitting import ReferenceData, fit
from app.drift.timeline import NOTHING
from app.events import Window as WireWindow
from app.messages import Message
from app.monitor import Monitor
from app.quality.schema import completeness
from app.segments import EVERYTHING
from app.settings import Settings
from app.statistics.features import Features
from app.statistics.prepared import PreparedPredictions
from app.statistics.totals import Totals
from app.windowing.blocks import Block
from tests.app.closing import pane

QUALITY = {
    "ranges": {"age": [0, 120]},
    "rules": ["income >= 0", "end >= start", "as_of != null"],
    "required": ["income", "as_of"],
    "freshness": "as_of",
}
RULES = [
    {"metric": "violations", "feature": "income >= 0", "above": 0.1, "name": "income"},
    {"metric": "rule_violations", "above": 0.1, "name": "rules"},
    {"metric": "schema_changes", "above": 0, "name": "schema"},
    {"metric": "null", "feature": "city", "above": 0.1, "name": "nulls"},
]
GOOD = {"income": 10.0, "age": 40.0, "city": "a", "start": "2026-01-01", "end": "2026-01-02", "as_of": 0.0}
SETTINGS = Settings.model_validate(
    {"windows": {"hopping_s": []}, "models": {"credit": {"quality": QUALITY, "rules": RULES, "default_rules": False}}}
)
OF_CITIES = Settings.model_validate({"models": {"credit": {"quality": QUALITY, "segments": ["city"]}}})


def record(number: int, features: dict[str, Any]) -> bytes:
    return orjson.dumps(
        {
            "prediction_id": str(number),
            "model": "credit",
            "version": "1",
            "timestamp": 4.0 + number / 1000,
            "features": {"number": float(number)} | features,
            "prediction": "yes",
        }
    )


def counted(rows: list[dict[str, Any]], baseline: Baseline | None = None) -> Totals:
    """As a worker counts them, whichever way they were decoded."""
    values = [record(number, features) for number, features in enumerate(rows)]
    n, decoder, states = len(rows), PredictionDecoder(SETTINGS), []
    chunk = RawChunk(np.arange(n), np.full(n, 10_000), [None] * n, values)
    for _ in range(2):
        totals = Totals()
        for run in decoder.decode(chunk).runs:
            prepared = PreparedPredictions(run.columns, baseline, quality=SETTINGS.model("credit").quality)
            prepared.update([totals], np.zeros(run.columns.size, np.int64))
        states.append(totals.state())
    assert states[0] == states[1]
    return Totals.from_state(orjson.loads(orjson.dumps(states[0])))


def closed(totals: Totals, baseline: Baseline | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The window, and the alerts by rule."""
    monitor = Monitor("credit", SETTINGS, {})
    if baseline is not None:
        monitor.baseline_arrived(baseline.to_record())
    messages: list[Message] = []
    for number in (0, 6):
        messages += monitor.close_pane(pane(number * 10_000, totals if number == 0 else Totals())).messages
    [window] = [message.value for message in messages if message.topic == "windows"]
    WireWindow.model_validate(window)
    return window, {message.value["rule"]: message.value for message in messages if message.topic == "alerts"}


def reference() -> Baseline:
    rows = 100
    features: dict[str, list[Any]] = {
        "number": [float(row) for row in range(rows)],
        "income": [float(row) for row in range(rows)],
        "age": [float(row % 50) for row in range(rows)],
        "city": ["a", "b"] * 50,
        "start": ["2026-01-01"] * rows,
        "end": ["2026-01-02"] * rows,
        "limit": [1.0] * rows,
        "seldom": [None] * 99 + [1.0],
    }
    return fit("credit", "1", ReferenceData(features, ["yes"] * rows), created_at=0, origin="file")


def test_good_data_is_said_to_be_good() -> None:
    window, alerts = closed(counted([GOOD | {"city": "ab"[n % 2], "age": float(n)} for n in range(40)]))
    assert alerts == {}
    assert window["consistency"] == {"income >= 0": 0, "end >= start": 0, "as_of != null": 0}
    metrics = {name: window["metrics"][name] for name in ("rule_violations", "incomplete_share", "duplicate_share")}
    assert metrics == {"rule_violations": 0, "incomplete_share": 0, "duplicate_share": 0}
    assert window["data_quality"]["age"]["out_of_range"] == 0
    assert window["data_quality"]["city"] == pytest.approx(
        {"missing": 0, "null": 0, "absent": 0, "empty": 0, "type_errors": 0, "constant": 0, "distinct": 2}, abs=0.05
    )
    assert window["metrics"]["data_age_mean_s"] == pytest.approx(4.0195)
    assert "as_of" not in window["data_quality"]
    assert "schema_changes" not in window


def test_each_mistake_is_told() -> None:
    rows = [dict(GOOD, city="ab"[n % 2], age=float(n)) for n in range(40)]
    for row in rows[:10]:
        row |= {"income": -5.0, "city": None, "age": 200.0}
    for row in rows[10:14]:
        del row["city"]
    rows[14]["city"] = ""
    rows[15]["end"] = "2025-12-31"
    del rows[16]["income"]
    window, alerts = closed(counted(rows))
    city = window["data_quality"]["city"]
    assert [city[name] for name in ("missing", "null", "absent", "empty")] == [14 / 40, 10 / 40, 4 / 40, 1 / 40]
    assert window["data_quality"]["age"]["out_of_range"] == 10 / 40
    assert window["consistency"] == {"income >= 0": 10 / 39, "end >= start": 1 / 40, "as_of != null": 0}
    assert window["metrics"]["rule_violations"] == 11 / 40
    assert window["metrics"]["incomplete_share"] == 1 / 40
    assert alerts.keys() == {"income", "rules", "nulls"}
    assert alerts["income"]["evidence"]["features"] == ["income >= 0"]


def test_changes_of_the_schema_are_told() -> None:
    baseline = reference()
    rows = [
        {"number": str(n), "income": 1.0, "age": 1.0, "city": "a", "end": "x", "start": "x", "as_of": 1, "new": n}
        for n in range(40)
    ]
    window, alerts = closed(counted(rows, baseline), baseline)
    assert window["schema_changes"] == {"limit": "gone", "new": "added", "number": "number -> text"}
    assert window["metrics"]["schema_changes"] == 3
    assert alerts.keys() == {"schema"}


def test_an_unchanged_schema_is_empty() -> None:
    baseline = reference()
    window, alerts = closed(counted([GOOD | {"limit": 1.0}] * 40, baseline), baseline)
    assert window["schema_changes"] == {}
    assert window["metrics"]["schema_changes"] == 0
    assert alerts == {}


def test_repeated_rows_are_told() -> None:
    values = [GOOD | {"number": 0.0, "income": float(n // 4)} for n in range(40)]
    window, _ = closed(counted(values))
    assert window["metrics"]["duplicate_share"] == 0.75


def test_blocks_check_what_the_model_is_configured_for_in_segments_too() -> None:
    values = [record(number, GOOD | {"income": float(number - 1)}) for number in range(4)]
    block = Block(("predictions", 0), 0, OF_CITIES, lambda model, version: NOTHING)
    [run] = PredictionDecoder(OF_CITIES).decode(RawChunk(np.arange(4), np.full(4, 10_000), [None] * 4, values)).runs
    block.count_predictions(run.columns, np.zeros(4, np.int64), None)
    for group, totals in block.versions["credit", "1"].groups.items():
        assert totals.consistency() == {"income >= 0": 0.25, "end >= start": 0, "as_of != null": 0}
        assert ("duplicate_share" in totals.metrics(10)) == (group.segment == EVERYTHING)
        assert ("constant" in totals.data_quality(None)["city"]) == (group.segment == EVERYTHING)


def test_an_empty_window_says_nothing() -> None:
    window, alerts = closed(Totals())
    assert alerts == {}
    assert "consistency" not in window
    assert window["data_quality"] == {}
    assert not {"duplicate_share", "rule_violations", "incomplete_share", "schema_changes"} & window["metrics"].keys()


def test_counts_of_before_nulls_were_told_apart_can_be_read() -> None:
    before = {"rows": 5, "names": ["x", "y"], "kinds": [3, 0, 0, 0, 0, 2, 0, 0], "limit": 1000}
    features = Features.from_state(before)
    features.merge(Features.from_state(before))
    assert completeness(features, None)["x"] == {"missing": 0.4, "null": 0, "absent": 0.4, "type_errors": 0}
    assert features.values() == {"x": 6, "y": 4}

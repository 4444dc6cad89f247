"""Estimates and impact as a monitor publishes them, with a labelled baseline and without."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.decoding.columns import FeatureColumn, Floats, Kind, PairColumns, PredictionColumns, Probabilities
from app.drift.baseline import Baseline
from app.drift.fitting import ReferenceData, fit
from app.events import Window
from app.monitor import Monitor
from app.outcome import DECISIONS
from app.segments import EVERYTHING, Segment
from app.settings import Settings
from app.statistics.totals import Totals
from tests.app.closing import MINUTE, SECOND, pane, predictions
from tests.app.statistics.made import update_pairs, update_predictions

PANE = 10 * SECOND
ROWS = 4000
NORTH: Segment = (("region", "north"),)
SOUTH: Segment = (("region", "south"),)


class World:
    """A classifier that is surer than it should be, and the less right the higher `income` is. `low`: the least one."""

    def __init__(self, seed: int, low: float = 0.0, rows: int = ROWS) -> None:
        rng = np.random.default_rng(seed)
        self.income: Floats = rng.uniform(low, 10, rows)
        sure = np.clip(rng.normal(0.95 - 0.035 * self.income, 0.02, rows), 0.51, 0.99)
        yes = rng.random(rows) < 0.5
        right = rng.random(rows) < sure
        said = 1 / (1 + ((1 - sure) / sure) ** 2)
        self.p: Floats = np.where(yes, said, 1 - said)
        self.said = np.where(yes, "yes", "no").tolist()
        self.truth = np.where(yes == right, "yes", "no").tolist()
        self.north = rng.random(rows) < 0.5

    @property
    def accuracy(self) -> float:
        return float(np.mean([one == other for one, other in zip(self.said, self.truth, strict=True)]))

    def baseline(self) -> Baseline:
        data = ReferenceData(
            features={"income": self.income.tolist(), "noise": np.sin(1e4 * self.income).tolist()},
            predictions=self.said,
            probabilities={"yes": self.p.tolist(), "no": (1 - self.p).tolist()},
            labels=self.truth,
            segments={"region": np.where(self.north, "north", "south").tolist()},
        )
        return fit("credit", "1", data, created_at=0, origin="file")

    def shares(self) -> Probabilities:
        return Probabilities(("no", "yes"), np.column_stack([1 - self.p, self.p]))

    def totals(self, baseline: Baseline | None, *, labels: bool = False) -> dict[Segment, Totals]:
        """Of all rows, and of the two regions."""
        members = [Totals(), Totals(), Totals()]
        rows = len(self.p)
        noise = FeatureColumn(Kind.NUMBER, np.sin(1e4 * self.income), None)
        columns = PredictionColumns(
            model="credit",
            version="1",
            task="classification",
            offsets=np.arange(rows),
            timestamps=np.zeros(rows, np.int64),
            ids=[str(row) for row in range(rows)],
            failed=np.zeros(rows, np.bool_),
            weights=None,
            latency_ms=np.full(rows, np.nan),
            features={"income": FeatureColumn(Kind.NUMBER, self.income, None), "noise": noise},
            as_sent=self.said,
            predicted=self.said,
            values=np.full(rows, np.nan),
            probabilities=self.shares(),
            segments={},
        )
        pairs = PairColumns(
            model="credit",
            version="1",
            task="classification",
            weights=None,
            predicted=self.said,
            values=columns.values,
            probabilities=self.shares(),
            labels=self.truth,
            label_values=columns.values,
            lag_ms=np.full(rows, 1000),
        )
        for groups in (np.zeros(rows, np.int64), np.where(self.north, 1, 2)):
            update_predictions(members, groups, columns, baseline, 0)
            if labels:
                update_pairs(members, groups, pairs, None)
        return dict(zip([EVERYTHING, NORTH, SOUTH], members, strict=True))


def a_monitor(*known: Baseline, state: dict[str, bytes] | None = None) -> Monitor:
    settings = {"windows": {"hopping_s": [], "pane_s": 10, "tumbling_s": [10]}, "models": {"credit": {}}}
    monitor = Monitor("credit", Settings.model_validate(settings), state or {})
    for baseline in known:
        monitor.baseline_arrived(baseline.to_record())
    return monitor


def closed(monitor: Monitor, place: int, totals: dict[Segment, Totals]) -> dict[Segment, dict[str, Any]]:
    own = replace(pane(place * PANE, Totals()), windows={("1", segment): one for segment, one in totals.items()})
    messages = [one.value for one in monitor.close_pane(own).messages if one.topic == "windows"]
    for message in messages:
        Window.model_validate(message)
    return {tuple(sorted(one["segment"].items())): one for one in messages}


def test_a_labelled_baseline_tells_what_labels_would_say() -> None:
    reference, moved = World(1, rows=20_000), World(2, low=6.0)
    baseline = reference.baseline()
    windows = closed(a_monitor(baseline), 0, moved.totals(baseline))
    metrics = windows[EVERYTHING]["metrics"]
    assert metrics["estimated_accuracy"] == pytest.approx(moved.accuracy, abs=0.03)
    assert metrics["estimated_accuracy_low"] < moved.accuracy < metrics["estimated_accuracy_high"]
    assert metrics["estimated_accuracy"] < float(np.maximum(moved.p, 1 - moved.p).mean()) - 0.05
    assert {"estimated_precision", "estimated_recall", "estimated_f1", "estimated_roc_auc"} <= metrics.keys()
    assert "estimated_accuracy" in windows[NORTH]["metrics"]


def test_a_change_says_what_carries_it() -> None:
    reference, moved = World(1, rows=20_000), World(2, low=6.0)
    baseline = reference.baseline()
    windows = closed(a_monitor(baseline), 0, moved.totals(baseline, labels=True))
    impact = windows[EVERYTHING]["impact"]
    assert impact["metric"] == "accuracy"
    assert impact["realised"] == pytest.approx(moved.accuracy - reference.accuracy)
    assert impact["estimated"] == pytest.approx(impact["realised"], abs=0.04)
    assert impact["features"][0]["feature"] == "income"
    assert impact["features"][0]["change"] == pytest.approx(impact["realised"], abs=0.04)
    assert impact["features"][0]["share"] > 0.9
    assert {tuple(own["segment"].values()) for own in impact["segments"]} == {("north",), ("south",)}
    assert sum(own["change"] for own in impact["segments"]) == pytest.approx(impact["realised"], abs=1e-6)
    assert "impact" not in windows[NORTH]


def test_without_a_change_nothing_carries_anything() -> None:
    reference, same = World(1, rows=20_000), World(3)
    baseline = reference.baseline()
    impact = closed(a_monitor(baseline), 0, same.totals(baseline, labels=True))[EVERYTHING]["impact"]
    assert abs(impact["realised"]) < 0.04
    assert not {"features", "segments"} & impact.keys()


def test_without_a_baseline_the_first_healthy_windows_are_the_usual_ones() -> None:
    monitor = a_monitor()
    usual, moved = World(1), World(2, low=6.0)
    before = closed(monitor, 0, usual.totals(None, labels=True))[EVERYTHING]
    assert "impact" not in before
    assert before["metrics"]["estimated_accuracy"] == pytest.approx(float(np.maximum(usual.p, 1 - usual.p).mean()))
    told = usual.accuracy - before["metrics"]["estimated_accuracy"]
    # A calibration is fitted to one window and judged by another.
    again = closed(monitor, 1, World(7).totals(None, labels=True))[EVERYTHING]
    assert again["metrics"]["estimate_error"] == pytest.approx(told, abs=0.01)
    after = closed(monitor, 2, moved.totals(None, labels=True))[EVERYTHING]
    assert after["impact"]["realised"] == pytest.approx(moved.accuracy - usual.accuracy)
    assert after["metrics"]["estimated_accuracy_calibrated"] == pytest.approx(moved.accuracy, abs=0.04)
    promised = float(np.maximum(moved.p, 1 - moved.p).mean())
    assert after["metrics"]["estimated_accuracy"] == pytest.approx(promised)
    assert after["metrics"]["estimated_accuracy_of_labelled"] == pytest.approx(promised)


def test_a_stored_monitor_goes_on_with_the_same_estimates() -> None:
    baseline = World(1).baseline()
    whole = a_monitor(baseline)
    closed(whole, 0, World(4).totals(baseline, labels=True))
    stored = whole.close_pane(pane(PANE, World(5).totals(baseline, labels=True)[EVERYTHING])).state[DECISIONS]
    assert stored is not None
    again = a_monitor(baseline, state={DECISIONS: stored})
    totals = World(6, low=5.0).totals(baseline, labels=True)
    copies = {segment: Totals.from_state(own.state()) for segment, own in totals.items()}
    assert closed(again, 2, copies) == closed(whole, 2, totals)


def test_windows_without_probabilities_have_no_estimate() -> None:
    metrics = closed(a_monitor(), 0, {EVERYTHING: predictions(100)})[EVERYTHING]["metrics"]
    assert not [name for name in metrics if name.startswith("estimate")]


def test_time_without_traffic_tells_nothing() -> None:
    monitor = a_monitor()
    closed(monitor, 0, World(1).totals(None, labels=True))
    assert [one for one in monitor.advance(10 * MINUTE, 5).messages if one.topic == "windows"] == []

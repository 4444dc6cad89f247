"""One model through its panes of 10 s. Times in the drawings are minutes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from app.drift.fitting import ReferenceData, fit
from app.events import Alert, RetrainingRequest
from app.events import Window as WireWindow
from app.messages import Message
from app.monitor import Monitor
from app.outcome import Outcome
from app.segments import EVERYTHING, Segment
from app.settings import Settings
from app.statistics.totals import Totals
from app.windowing.panes import BlockName, Examples
from tests.app.closing import DAY, HOUR, MINUTE, SECOND, labelled, pane, predictions, used

PANE = 10 * SECOND
LATENESS = 5 * SECOND
WEB: Segment = (("channel", "web"),)


def a_monitor(windows: dict[str, Any] | None = None, **model: Any) -> Monitor:
    """Without hopping windows, for short lists."""
    settings = {"windows": {"hopping_s": []} | (windows or {}), "models": {"credit": model}}
    return Monitor("credit", Settings.model_validate(settings), {})


def close(
    monitor: Monitor, *panes: int, totals: Totals | None = None, version: str = "1", **examples: Any
) -> list[Message]:
    """Closes the panes of these numbers, each with the same totals."""
    found = []
    for number in panes:
        own = Totals.from_state((totals or predictions(30)).state())
        found += monitor.close_pane(pane(number * PANE, {(version, EVERYTHING): own}, **examples)).messages
    return found


def of(topic: str, messages: Sequence[Message]) -> list[dict[str, Any]]:
    return [message.value for message in messages if message.topic == topic]


class TestWindows:
    def test_a_window_as_in_the_contract(self) -> None:
        monitor = a_monitor()
        messages = close(monitor, *range(6), totals=labelled(18, 2, into=predictions(30, errors=3, latency_ms=8)))
        (message,) = messages
        assert (message.topic, message.key) == ("windows", "credit")
        window = message.value
        WireWindow.model_validate(window)
        counts = {name: window[name] for name in ("kind", "start", "end", "predictions", "labels", "errors", "segment")}
        assert counts == {
            "kind": "tumbling",
            "start": "1970-01-01T00:00:00.000Z",
            "end": "1970-01-01T00:01:00.000Z",
            "predictions": 180,
            "labels": 120,
            "errors": 18,
            "segment": {},
        }
        assert window["metrics"]["accuracy"] == pytest.approx(0.9)
        assert window["metrics"]["throughput_per_s"] == 3
        assert "revision" not in window
        assert "baseline_id" not in window

    def test_traffic_or_time_ends_them(self) -> None:
        # pane   |-|                       watermark
        #        0         1 min           1 min + lateness
        for end in ("time", "traffic"):
            monitor = a_monitor()
            assert close(monitor, 0) == []
            assert monitor.advance(MINUTE + LATENESS - 1, 1).messages == []
            later = monitor.advance(MINUTE + LATENESS, 2).messages if end == "time" else close(monitor, 7)
            assert [window["predictions"] for window in of("windows", later)] == [30]

    def test_a_closed_pane_is_closed(self) -> None:
        monitor = a_monitor()
        close(monitor, 0)
        monitor.advance(MINUTE + LATENESS, 1)
        assert monitor.closed_through == MINUTE
        assert monitor.close_pane(pane(3 * PANE, predictions(5))) == Outcome()

    def test_time_in_which_nothing_falls_due_closes_nothing(self) -> None:
        """A source that wakes may still bring a pane that nothing was concluded without."""
        # pane  |-| |-|               watermark
        #       0   20                50         1 min
        monitor = a_monitor()
        close(monitor, 0)
        assert monitor.advance(50 * SECOND + LATENESS, 7) == Outcome()
        assert monitor.closed_through == PANE
        (window,) = of("windows", close(monitor, 2, 6))
        assert window["predictions"] == 60

    def test_before_anything_came(self) -> None:
        monitor = a_monitor()
        assert monitor.advance(HOUR, 1) == Outcome()
        assert monitor.closed_through is None

    def test_segments_beyond_the_limit(self) -> None:
        monitor = a_monitor(max_segments=2)
        windows = {("1", (("channel", name),)): predictions(5) for name in "abcd"} | {
            ("1", EVERYTHING): predictions(20)
        }
        monitor.close_pane(pane(0, windows))
        found = of("windows", monitor.advance(MINUTE + LATENESS, 1).messages)
        assert [window["segment"] for window in found] == [{}, {"channel": "a"}, {"channel": "b"}]
        assert monitor.snapshot().segments_left_out == 2

    def test_resources(self) -> None:
        (window,) = of("windows", close(a_monitor(), 0, 6, totals=used(worker_1=40.0, worker_2=60.0)))
        assert window["metrics"] == {"cpu_percent": 50}
        assert window["resources"] == {"worker_1": {"cpu_percent": 40}, "worker_2": {"cpu_percent": 60}}
        assert "resources" not in of("windows", close(a_monitor(), 0, 6))[0]


class TestOutcome:
    def test_sums_then_decisions_then_what_is_over(self) -> None:
        monitor = a_monitor()
        monitor.close_pane(pane(0, predictions(5)))
        outcome = monitor.close_panes([pane(7 * PANE, predictions(5)), pane(8 * PANE, predictions(5))])
        kinds = [None if value is None else slot.split("/")[0] for slot, value in outcome.state.items()]
        assert kinds == ["window", "cohort", "evidence", "decisions", None]

    def test_a_zombies_position_is_never_lower(self) -> None:
        """Of two values of a slot the reader takes the one with the higher position."""
        monitor = a_monitor()
        monitor.close_pane(pane(0, predictions(5), position=50))
        state = monitor.close_pane(pane(PANE, predictions(5), position=40)).state
        assert all(b'"position":50' in value for value in state.values() if value is not None)


class TestBaselines:
    def features(self, shift: float = 0.0, seed: int = 1) -> dict[str, Any]:
        rng = np.random.default_rng(seed)
        return {"income": rng.normal(shift, 1, 200), "age": rng.normal(0, 1, 200)}

    def sampled(self, **more: Any) -> Totals:
        return predictions(200, features=self.features(), sample_rows=256, **more)

    def test_the_first_healthy_predictions(self) -> None:
        monitor = a_monitor(baseline={"first_events": 300})
        (baseline,) = of("baselines", close(monitor, 0, 1, 2, totals=self.sampled()))
        assert (baseline["version"], baseline["origin"], baseline["size"]) == ("1", "stream", 300)
        assert baseline["created_at"] == "1970-01-01T00:00:20.000Z"
        assert baseline["effective_from"] == "1970-01-01T00:01:00.000Z", "the next edge of a window"
        assert set(baseline["features"]) == {"income", "age"}
        assert of("baselines", close(monitor, *range(3, 9), totals=self.sampled())) == [], "once"

    def test_not_of_failing_ones(self) -> None:
        monitor = a_monitor(baseline={"first_events": 300})
        assert of("baselines", close(monitor, *range(9), totals=self.sampled(errors=21))) == []

    def test_not_where_one_was_published(self) -> None:
        monitor = a_monitor(baseline={"first_events": 300})
        monitor.baseline_arrived(self.published().to_record())
        assert of("baselines", close(monitor, *range(9), totals=self.sampled())) == []

    def test_a_new_version_takes_over_that_of_the_newest_one_where_the_settings_say_so(self) -> None:
        monitor = a_monitor(baseline={"first_events": 300, "inherit": True})
        (first,) = of("baselines", close(monitor, 0, 1, 2, totals=self.sampled()))
        (own,) = of("baselines", close(monitor, *range(6, 9), version="2", totals=self.sampled()))
        assert (own["version"], own["origin"], own["features"]) == ("2", "inherited", first["features"])
        assert own["inherited"] == {"version": "1", "baseline_id": first["baseline_id"]}
        assert own["effective_from"] == "1970-01-01T00:02:00.000Z", "the next edge of a window"

    def test_a_new_version_gets_its_own_where_they_do_not(self) -> None:
        monitor = a_monitor(baseline={"first_events": 300})
        close(monitor, 0, 1, 2, totals=self.sampled())
        (own,) = of("baselines", close(monitor, *range(6, 9), version="2", totals=self.sampled()))
        assert (own["version"], own["origin"]) == ("2", "stream")
        assert own["start"] is not None

    def published(self) -> Any:
        given = {name: values.tolist() for name, values in self.features().items()}
        return fit("credit", "1", ReferenceData(given, ["yes"] * 200), created_at=0, origin="file")

    def test_drift_and_data_quality(self) -> None:
        monitor, baseline = a_monitor(), self.published()
        monitor.baseline_arrived(baseline.to_record())
        features = self.features(shift=2, seed=2)
        features["age"][:50] = np.nan
        totals = predictions(200, features=features, baseline=baseline)
        (window,) = of("windows", close(monitor, 0, 6, totals=totals))
        assert window["baseline_id"] == baseline.baseline_id
        assert window["drift"]["income"]["psi"] > 0.5
        assert window["data_quality"]["age"]["missing"] == 0.25

    def test_windows_counted_against_an_unknown_one_have_no_drift(self) -> None:
        totals = predictions(200, features=self.features(), baseline=self.published())
        (window,) = of("windows", close(a_monitor(), 0, 6, totals=totals))
        assert window["drift"] == {}
        assert window["data_quality"]["age"]["missing"] == 0

    @pytest.mark.parametrize("record", [{}, {"model": "credit"}])
    def test_what_is_no_baseline(self, record: dict[str, Any]) -> None:
        with pytest.raises((ValueError, KeyError)):
            a_monitor().baseline_arrived(record)


class TestAlerts:
    def test_error_rate(self) -> None:
        monitor = a_monitor()
        (alert,) = of("alerts", close(monitor, *range(7), totals=predictions(100, errors=30)))
        Alert.model_validate(alert)
        assert (alert["rule"], alert["state"], alert["severity"]) == ("error_rate", "firing", "critical")
        assert monitor.snapshot().incidents == (alert,)
        assert monitor.snapshot().alerts == {("1", "critical"): 1}
        over = of("alerts", close(monitor, *range(7, 19), totals=predictions(100)))
        assert [alert["state"] for alert in over] == ["resolved"]

    def test_silence_falls_and_ends(self) -> None:
        # panes |--|                            |--|
        #       0                3:20          10 min
        monitor = a_monitor()
        close(monitor, 0, 1)
        early = monitor.advance(200 * SECOND + LATENESS - 1, 1).messages
        assert of("alerts", early) == []
        (alert,) = of("alerts", monitor.advance(200 * SECOND + LATENESS, 2).messages)
        assert (alert["rule"], alert["state"]) == ("silence", "firing")
        assert alert in monitor.snapshot().incidents
        (over,) = of("alerts", close(monitor, 60))
        assert (over["state"], over["alert_id"]) == ("resolved", alert["alert_id"])
        assert over["ends_at"] == "1970-01-01T00:10:00.000Z"

    def test_a_night_without_traffic_is_no_silence_where_the_baseline_has_none(self) -> None:
        monitor, quiet = a_monitor(), a_monitor()
        # Of two weeks, without what lies before 6 h.
        times = [day * DAY + 6 * HOUR + row * 64_000 for day in range(15) for row in range(1000)]
        office = ReferenceData({"x": [1.0, 2.0] * 7500}, predictions=["yes"] * 15_000, timestamps=times)
        quiet.baseline_arrived(fit("credit", "1", office, created_at=0, origin="file").to_record())
        evening = DAY // PANE - 6
        for told, own in ((1, monitor), (0, quiet)):
            close(own, *range(evening, evening + 6))
            assert len(of("alerts", own.advance(DAY + 5 * HOUR, 1).messages)) == told
        assert len(of("alerts", quiet.advance(DAY + 6 * HOUR + 4 * MINUTE, 2).messages)) == 1

    def test_silence_without_ticks_is_the_same(self) -> None:
        """The pane that ends it closes in the same breath: silence fell in between, and is told."""
        monitor = a_monitor()
        close(monitor, 0, 1)
        assert [alert["state"] for alert in of("alerts", close(monitor, 60))] == ["firing", "resolved"]

    def test_silence_is_given_up(self) -> None:
        monitor = a_monitor()
        close(monitor, *range(7), totals=predictions(100, errors=30))
        alerts = of("alerts", monitor.advance(8 * 24 * HOUR, 1).messages)
        assert [(alert["rule"], alert["state"]) for alert in alerts] == [
            ("silence", "firing"),
            ("silence", "resolved"),
            ("error_rate", "resolved"),
        ]
        assert monitor.snapshot().incidents == ()

    def test_labels_alone_break_no_silence(self) -> None:
        monitor = a_monitor()
        close(monitor, 0, 1)
        alerts = of("alerts", close(monitor, *range(2, 24), totals=labelled(5, 0)))
        assert [alert["rule"] for alert in alerts] == ["silence"]

    def test_a_superseded_version(self) -> None:
        # version 1  |======|                 failing
        # version 2         |=============|
        #            0      1    2    3    4:00
        monitor = a_monitor()
        close(monitor, *range(6), totals=predictions(100, errors=30))
        alerts = []
        for number in range(6, 30):
            windows = {("2", EVERYTHING): predictions(100), ("1", EVERYTHING): labelled(0, 9)}
            alerts += of("alerts", monitor.close_pane(pane(number * PANE, windows)).messages)
        assert [(alert["version"], alert["rule"], alert["state"]) for alert in alerts] == [
            ("1", "error_rate", "resolved")
        ]
        assert alerts[0]["ends_at"] == "1970-01-01T00:04:00.000Z"
        assert alerts[0]["evidence"]["reason"] == "the version is superseded"


class TestRetraining:
    def examples(self, number: int, rows: int) -> list[Examples]:
        return [Examples(BlockName("labels", 0, number), "1", 0, number, number, rows)]

    def test_an_incident_asks_when_enough_labels_have_come(self) -> None:
        rule = {"metric": "accuracy", "below": 0.8, "windows": 1}
        monitor = a_monitor(rules=[rule], default_rules=False, retraining={"min_labels": 300, "cooldown_s": 0})
        requests = []
        for number in range(24):
            bad = labelled(10, 20, into=predictions(30))
            outcome = monitor.close_pane(pane(number * PANE, bad, examples=self.examples(number, 30)))
            requests += [(number, request) for request in of("retraining-requests", outcome.messages)]
        ((number, request),) = requests
        assert number == 9, "the first window says that it is bad; ten panes have 300 labels"
        RetrainingRequest.model_validate(request)
        assert request["data"]["offsets"] == {"0": [0, 10]}
        assert len(request["alert_ids"]) == 1
        assert monitor.snapshot().retraining_requests == {("1", "performance"): 1}

    def test_schedule(self) -> None:
        monitor = a_monitor(retraining={"schedule": "*/5 * * * *", "min_labels": 10})
        close(monitor, 0, 1, examples=self.examples(0, 30))
        assert of("retraining-requests", monitor.advance(5 * MINUTE + LATENESS - 1, 1).messages) == []
        (request,) = of("retraining-requests", monitor.advance(5 * MINUTE + LATENESS, 2).messages)
        assert (request["trigger"], request["requested_at"]) == ("schedule", "1970-01-01T00:05:00.000Z")


class TestSnapshot:
    def test_the_newest_window_of_each(self) -> None:
        monitor = a_monitor()
        for number in range(13):
            windows = {("1", EVERYTHING): predictions(5), ("1", WEB): predictions(number + 1)}
            monitor.close_pane(pane(number * PANE, windows))
        shown = monitor.snapshot().windows
        assert [(w["segment"], w["start"][14:19], w["predictions"]) for w in shown] == [
            ({}, "01:00", 30),
            ({"channel": "web"}, "01:00", 57),
        ]

    def test_what_is_gone_is_not_shown(self) -> None:
        monitor = a_monitor()
        monitor.close_pane(pane(0, {("1", EVERYTHING): predictions(5), ("1", WEB): predictions(5)}))
        close(monitor, *range(6, 72))
        assert [window["segment"] for window in monitor.snapshot().windows] == [{}]

    def test_it_does_not_change(self) -> None:
        monitor = a_monitor()
        close(monitor, *range(7))
        before = monitor.snapshot()
        shown = before.windows
        close(monitor, *range(7, 20))
        assert before.windows == shown
        assert monitor.snapshot().windows != shown

"""Whatever crashes between any two writes of the state, and however panes close together: the same is published."""

from typing import Any

import numpy as np
import orjson
import pytest

from app.messages import Message
from app.monitor import Monitor
from app.outcome import Outcome
from app.segments import EVERYTHING, Segment
from app.settings import Settings
from app.statistics.sample import Sample
from app.statistics.totals import Totals
from app.windowing.panes import BlockName, ClosedPane, CohortKey, Examples
from tests.app.closing import SECOND, labelled, pane, predictions

PANE = 10 * SECOND
COHORT = 600 * SECOND
SETTINGS = Settings.model_validate(
    {
        "windows": {
            "tumbling_s": [60, 30],
            "hopping_s": [[300, 60], [120, 40]],
            "cohort_s": 600,
            "cohort_revision_s": 45,
        },
        "labels": {"horizon_s": 1800},
        "models": {
            "credit": {
                "max_segments": 2,
                "baseline": {"first_events": 300},
                "rules": [{"metric": "accuracy", "below": 0.8, "windows": 2, "retrain": True}],
                "retraining": {"min_labels": 50, "cooldown_s": 120, "schedule": "*/7 * * * *"},
            }
        },
    }
)
WEB: Segment = (("channel", "web"),)


def stream(seed: int, panes: int) -> list[ClosedPane]:
    """Panes with gaps, failures, wrong labels and missing values now and then, from two versions and four segments."""
    rng = np.random.default_rng(seed)
    made, start = [], 0
    for number in range(panes):
        start += PANE * int(rng.choice([1, 1, 1, 1, 1, 2, 30, 400], p=[0.3, 0.2, 0.2, 0.1, 0.1, 0.06, 0.03, 0.01]))
        windows: dict[Any, Totals] = {}
        cohorts: dict[CohortKey, Totals] = {}
        for version in ("1", "2")[: 1 + (number > panes // 2)]:
            for segment in (EVERYTHING, WEB, (("channel", f"s{number % 3}"),)):
                totals = some_totals(rng, number % 40 > 25)
                windows[version, segment] = totals
                bare = Totals.from_state(totals.state())
                bare.take_sample()
                for cohort in {start // COHORT, max(start // COHORT - int(rng.integers(3)), 0)}:
                    cohorts[version, segment, cohort * COHORT] = bare
        block = BlockName("labels", 0, number // 5)
        rows = 20 * (number % 5 + 1)
        examples = [Examples(block, "1", 0, number // 5 * 100, number // 5 * 100 + rows - 1, rows)]
        made.append(pane(start, windows, cohorts=cohorts, examples=examples, position=number))
    return made


def some_totals(rng: np.random.Generator, broken: bool) -> Totals:
    rows = int(rng.integers(10, 60))
    income = rng.normal(3 if broken else 0, 1, rows)
    totals = predictions(
        rows,
        errors=rows // 2 if broken and rng.random() < 0.7 else 0,
        latency_ms=rng.lognormal(4 if broken else 2, 0.3, rows),
        features={"income": income, "age": rng.normal(size=rows)},
        sample_rows=40,
    )
    wrong = int(rng.integers(8, 20)) if broken else int(rng.integers(3))
    return labelled(30 - wrong, wrong, into=totals, probability=float(rng.random()))


class Broker:
    """What is left when a worker dies: the records that it published, and the state that it stored."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.state: dict[str, bytes] = {}

    def monitor(self) -> Monitor:
        monitor = Monitor("credit", SETTINGS, dict(self.state))
        for message in self.messages:
            if message.topic == "baselines":
                monitor.baseline_arrived(message.value)
        return monitor

    def take(self, outcome: Outcome, writes: int | None = None) -> None:
        """Publishes, then stores; `writes`: only so many of the values, and the worker dies."""
        self.messages += outcome.messages
        for slot, value in list(outcome.state.items())[:writes]:
            if value is None:
                self.state.pop(slot, None)
            else:
                self.state[slot] = value

    def published(self) -> dict[str, set[bytes]]:
        by_topic: dict[str, set[bytes]] = {}
        for message in self.messages:
            by_topic.setdefault(message.topic, set()).add(orjson.dumps(message.value, option=orjson.OPT_SORT_KEYS))
        return by_topic


def undisturbed(panes: list[ClosedPane]) -> Broker:
    broker = Broker()
    monitor = broker.monitor()
    for one in panes:
        broker.take(monitor.close_pane(copied(one)))
    broker.take(monitor.advance(panes[-1].end + COHORT, 1000))
    return broker


def crashing(panes: list[ClosedPane], rng: np.random.Generator) -> tuple[Broker, int]:
    """Panes close in batches, ticks come between them, and now and then the worker dies in the middle of storing."""
    broker, crashes = Broker(), 0
    monitor = broker.monitor()
    while True:
        left = [one for one in panes if monitor.closed_through is None or one.end > monitor.closed_through]
        if not left:
            break
        batch = [copied(one) for one in left[: int(rng.integers(1, 9))]]
        outcomes = closed(monitor, batch, rng)
        if rng.random() < 0.5:
            *whole, last = outcomes[: int(rng.integers(1, len(outcomes) + 1))]
            for outcome in whole:
                broker.take(outcome)
            broker.take(last, int(rng.integers(len(last.state) + 1)))
            monitor = broker.monitor()
            crashes += 1
        else:
            for outcome in outcomes:
                broker.take(outcome)
    broker.take(monitor.advance(panes[-1].end + COHORT, 1000))
    return broker, crashes


def closed(monitor: Monitor, batch: list[ClosedPane], rng: np.random.Generator) -> list[Outcome]:
    """One after another is published and stored before the next."""
    if rng.random() < 0.5:
        return [monitor.close_panes(batch)]
    outcomes = []
    for one in batch:
        if monitor.closed_through is not None and monitor.closed_through < one.start:
            between = int(rng.integers(monitor.closed_through, one.start + 1))
            outcomes.append(monitor.advance(between + SETTINGS.windows.lateness_ms, one.position))
        outcomes.append(monitor.close_pane(one))
    return outcomes


def copied(one: ClosedPane) -> ClosedPane:
    """Panes are merged anew from their parts when they are replayed."""
    windows = {key: Totals.from_state(totals.state()) for key, totals in one.windows.items()}
    cohorts = {key: Totals.from_state(totals.state()) for key, totals in one.cohorts.items()}
    samples = {version: Sample.from_state(sample.state()) for version, sample in one.samples.items()}
    return ClosedPane(one.model, one.start, one.end, windows, cohorts, samples, one.examples, one.position)


@pytest.mark.parametrize("seed", range(3))
def test_the_same_is_published(seed: int) -> None:
    panes = stream(seed, 90)
    expected = undisturbed(panes).published()
    assert expected.keys() == {"windows", "alerts", "baselines", "retraining-requests"}
    rng = np.random.default_rng(1000 + seed)
    broker, crashes = crashing(panes, rng)
    assert crashes > 3
    found = broker.published()
    for topic, records in expected.items():
        assert found[topic] == records, topic


def test_little_is_stored() -> None:
    """What is left after the last cohort's horizon are the decisions, and what they were drawn from."""
    panes = stream(1, 90)
    broker = Broker()
    monitor = broker.monitor()
    for one in panes:
        broker.take(monitor.close_pane(copied(one)))
    assert len(broker.state) < 200
    broker.take(monitor.advance(panes[-1].end + 3600 * SECOND, 1000))
    assert {slot.split("/")[0] for slot in broker.state} == {"decisions", "evidence"}

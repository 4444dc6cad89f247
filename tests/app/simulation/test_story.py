from typing import Any

import pytest

from app.simulation.story import Story
from app.timestamps import rfc3339

T = 1_795_000_000_000


def window(version: str, start_s: int, accuracy: float | None, **more: Any) -> dict[str, Any]:
    metrics = {"throughput_per_s": 300.0, **({} if accuracy is None else {"accuracy": accuracy})}
    return {
        "window_id": f"{version}-{start_s}-{more}",
        "model": "credit",
        "version": version,
        "segment": {},
        "kind": "tumbling",
        "start": rfc3339(T + start_s * 1000),
        "end": rfc3339(T + start_s * 1000 + 5000),
        "predictions": 1500,
        "labels": 1000,
        "errors": 0,
        "metrics": metrics,
        "data_quality": {},
        "drift": {"income": {"psi": 0.3 if (accuracy or 1) < 0.8 else 0.01}},
        **more,
    }


def alert(state: str, start_s: int, end_s: int | None = None, version: str = "1") -> dict[str, Any]:
    return {
        "alert_id": f"a-{version}",
        "state": state,
        "severity": "critical",
        "model": "credit",
        "version": version,
        "segment": {},
        "rule": "accuracy below 0.85",
        "metric": "accuracy",
        "value": 0.74,
        "threshold": 0.85,
        "starts_at": rfc3339(T + start_s * 1000),
        "ends_at": None if end_s is None else rfc3339(T + end_s * 1000),
        "window_start": rfc3339(T + start_s * 1000),
        "window_end": rfc3339(T + start_s * 1000 + 5000),
    }


REQUEST = {
    "request_id": "r1",
    "model": "credit",
    "version": "1",
    "trigger": "performance",
    "reason": "accuracy below 0.85: credit 1: accuracy is 0.74, below 0.85.",
    "requested_at": rfc3339(T + 41_000),
}
ANSWER = {"model": "credit", "version": "2", "status": "champion", "request_id": "r1", "decision": "better: accepted"}


def told(until: int) -> tuple[Story, list[str]]:
    """The story up to step `until`, and the phase after each step."""
    story, phases = Story("credit"), []
    steps: list[Any] = [
        lambda: story.said({"event": "serving", "time_ms": T, "version": "1", "era": "boom"}),
        lambda: story.window(window("1", 0, None)),
        lambda: story.window(window("1", 5, 0.94)),
        lambda: story.window(window("1", 10, 0.92)),
        lambda: story.said({"event": "changed", "time_ms": T + 20_000, "era": "crisis"}),
        lambda: story.window(window("1", 30, 0.74)),
        lambda: story.alert(alert("firing", 30)),
        lambda: story.request(REQUEST),
        lambda: story.version(ANSWER),
        lambda: story.said({"event": "deployed", "time_ms": T + 50_000, "version": "2"}),
        lambda: story.window(window("2", 50, 0.93)),
        lambda: story.window(window("2", 55, 0.92)),
        lambda: story.alert(alert("resolved", 30, 60)),
        lambda: story.said({"event": "changed", "time_ms": T + 90_000, "era": "boom"}),
        lambda: story.window(window("2", 95, 0.70)),
    ]
    for step in steps[:until]:
        step()
        phases.append(story.phase)
    return story, phases


def test_the_story_goes_from_healthy_to_recovered_and_on() -> None:
    _, phases = told(15)
    assert phases == [
        *["starting", "starting", "healthy", "healthy", "drifting", "drifting", "incident", "retraining", "retraining"],
        *["new version", "new version", "new version", "recovered", "drifting", "drifting"],
    ]


def test_the_summary_has_the_accuracies_around_the_change() -> None:
    story, _ = told(15)
    story.said({"event": "sent", "time_ms": T, "predictions": 9000, "labels": 8500})
    assert story.summary() == {
        "events": 17500,
        "predictions": 9000,
        "labels": 8500,
        "windows": 7,
        "alerts_fired": 1,
        "alerts_resolved": 1,
        "retraining_requests": 1,
        "versions": 2,
        "accuracy_before": 0.93,
        "accuracy_during": 0.74,
        "accuracy_after": 0.925,
        "recovered": True,
    }


@pytest.mark.parametrize("until", [0, 3, 6, 9, 12])
def test_before_the_end_it_has_not_recovered(until: int) -> None:
    story, _ = told(until)
    assert story.summary()["recovered"] is False


def test_what_has_no_labels_has_no_accuracy() -> None:
    story, _ = told(2)
    summary = story.summary()
    assert [summary[f"accuracy_{when}"] for when in ("before", "during", "after")] == [None, None, None]


def test_a_window_that_is_published_again_counts_once() -> None:
    story, _ = told(4)
    story.window(window("1", 10, 0.92))
    assert story.summary()["windows"] == 3


def test_a_rejected_version_leaves_the_incident_open() -> None:
    story, _ = told(8)
    story.version({**ANSWER, "status": "rejected"})
    assert story.phase == "incident"


def test_other_models_are_another_story() -> None:
    story, _ = told(3)
    story.window({**window("1", 15, 0.1), "model": "another"})
    story.alert({**alert("firing", 15), "model": "another"})
    assert (len(story.points), story.alerts) == (2, {})

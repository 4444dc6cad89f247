"""The demo as lines of text: each thing that happens, once."""

from app.simulation.story import Record, Story
from app.simulation.telling import clock, drift_scores, news, place_of, served
from app.timestamps import milliseconds


class Narration:
    """Remembers what it has told."""

    def __init__(self) -> None:
        self._told: set[tuple[str, ...]] = set()
        self._phase = "starting"

    def lines(self, story: Story) -> list[str]:
        """What is new in the story."""
        found = [*self._world(story), *self._windows(story), *self._alerts(story), *self._retraining(story)]
        if story.phase != self._phase:
            self._phase = story.phase
            found.append(f"      -- {self._phase} --")
        return found

    def _once(self, *key: str) -> bool:
        new = key not in self._told
        self._told.add(key)
        return new

    def _world(self, story: Story) -> list[str]:
        lines = []
        for chapter in story.chapters:
            if self._once("changed", str(chapter.changed_ms)):
                lines.append(f"{clock(story, chapter.changed_ms):>5}  the world changes: {story.era}")
            if chapter.version is not None and self._once("deployed", chapter.version):
                lines.append(f"{clock(story, chapter.deployed_ms):>5}  version {chapter.version} is served")
        return lines

    def _windows(self, story: Story) -> list[str]:
        return [
            _window(story, story.latest[point.version])
            for point in served(story)[-1:]
            if self._once("window", str(point.end))
        ]

    def _alerts(self, story: Story) -> list[str]:
        lines = []
        for alert in story.alerts.values():
            state = "over" if alert["state"] == "resolved" else "fired"
            if self._once("alert", alert["alert_id"], state):
                told = milliseconds(alert["ends_at"] or alert["window_end"])
                lines.append(
                    f"{clock(story, told):>5}  {alert['severity']} alert {state}: {alert['rule']}, {place_of(alert)}"
                )
        return lines

    def _retraining(self, story: Story) -> list[str]:
        return [f"       retraining {line}" for line in news(story) if self._once("news", line)]


def _window(story: Story, record: Record) -> str:
    metrics = record["metrics"]
    parts = [f"version {record['version']}", f"{metrics.get('throughput_per_s', 0):.0f} predictions/s"]
    if "accuracy" in metrics:
        parts.append(f"accuracy {metrics['accuracy']:.3f}")
    if "latency_p99_ms" in metrics:
        parts.append(f"p99 {metrics['latency_p99_ms']:.0f} ms")
    scores = drift_scores(story)
    if scores:
        parts.append(f"PSI of {scores[0][0]} {scores[0][1]:.2f}")
    return f"{clock(story, milliseconds(record['end'])):>5}  {', '.join(parts)}"


def closing(summary: Record, stopped: bool) -> list[str]:
    """The last words of the demo. `stopped`: by someone, before its time."""
    lines = [
        f"{summary['predictions']:,} predictions and {summary['labels']:,} labels in {summary['windows']:,} windows; "
        f"alerts fired: {summary['alerts_fired']}, resolved: {summary['alerts_resolved']}; "
        f"retraining requests: {summary['retraining_requests']}; versions: {summary['versions']}"
    ]
    when = {"before": "before the change", "during": "after it", "after": "with the new version"}
    shares = [f"{text} {summary[f'accuracy_{name}']:.3f}" for name, text in when.items() if summary[f"accuracy_{name}"]]
    if shares:
        lines.append(f"accuracy {', '.join(shares)}")
    if summary["recovered"]:
        lines.append("The loop has closed: drift, incident, retraining, new version, recovery.")
    else:
        lines.append("Stopped before the loop has closed." if stopped else "The loop has not closed in this time.")
    return lines

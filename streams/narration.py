"""The demo as lines of text: each thing that happens, once."""

from app.simulation.story import Record, Story
from app.timestamps import milliseconds
from streams.terminal import clock, drift_scores, news, place_of, served


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


def closing(summary: Record) -> list[str]:
    """The last words of the demo."""
    shares = [summary[f"accuracy_{when}"] for when in ("before", "during", "after")]
    before, during, after = ("-" if share is None else f"{share:.3f}" for share in shares)
    ending = "The loop has closed: drift, incident, retraining, new version, recovery."
    return [
        f"{summary['predictions']:,} predictions and {summary['labels']:,} labels in {summary['windows']:,} windows; "
        f"alerts fired: {summary['alerts_fired']}, resolved: {summary['alerts_resolved']}; "
        f"retraining requests: {summary['retraining_requests']}; versions: {summary['versions']}",
        f"accuracy before the change {before}, after it {during}, with the new version {after}",
        ending if summary["recovered"] else "The loop has not closed.",
    ]

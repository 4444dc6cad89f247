"""What the demo's views read off the story."""

from app.simulation.story import Point, Record, Story
from app.timestamps import milliseconds


def served(story: Story) -> list[Point]:
    """For each window the version with the most labels."""
    best: dict[int, Point] = {}
    for point in story.points:
        if point.accuracy is not None and (point.end not in best or point.labels >= best[point.end].labels):
            best[point.end] = point
    return [best[end] for end in sorted(best)]


def drift_scores(story: Story) -> list[tuple[str, float]]:
    """PSI by feature in the newest window of the version that serves, largest first."""
    record = story.latest.get(story.serving or "", {})
    scores = [(name, figures["psi"]) for name, figures in record.get("drift", {}).items() if "psi" in figures]
    return sorted(scores, key=lambda item: -item[1])


def place_of(alert: Record) -> str:
    """What an alert is about: the version, and the segment."""
    return f"version {alert['version']}" + "".join(f", {value}" for value in alert["segment"].values())


def news(story: Story) -> list[str]:
    """A line for each request, with its answer."""
    answers = {record.get("request_id"): record for record in story.versions.values()}
    lines = []
    for name, request in story.requests.items():
        asked = f"{clock(story, milliseconds(request['requested_at']))} asked for ({request['trigger']})"
        answer = answers.get(name)
        if answer is None:
            lines.append(f"{asked}: training")
        else:
            lines.append(f"{asked}: version {answer['version']}, {answer['decision']}")
    return lines


def clock(story: Story, time_ms: int | None) -> str:
    """Minutes and seconds since the service began."""
    if time_ms is None or story.began_ms is None:
        return "-"
    seconds = max(time_ms - story.began_ms, 0) // 1000
    return f"{seconds // 60}:{seconds % 60:02}"

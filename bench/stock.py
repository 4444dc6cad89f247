"""The ordinary way with Faust: an agent that takes event after event into plain accumulators.

It keeps the statistics that the worker keeps of predictions, in the cheapest form that per-event Python has, and takes
fewer pains: no checks, no replay, one partition's watermark for all.
"""

import math
import sys
from bisect import bisect_right
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import faust
import orjson

from app.drift.references import NumberReference
from bench.limit import DONE
from bench.traffic import FEATURES, baseline
from streams.collector import tune_collector

PANE_S, LATENESS_S = 10, 5
SCORE_BINS = 20
_STEP = math.log(1.02)


class Pane:
    """What ten seconds of event time add up to."""

    __slots__ = ("bins", "classes", "errors", "latency", "latency_sum", "missing", "predictions", "scores", "sure")

    def __init__(self, cuts: list[list[float]]) -> None:
        self.predictions = self.errors = 0
        self.latency: Counter[int] = Counter()
        self.latency_sum = self.sure = 0.0
        self.bins = [[0] * (len(own) + 1) for own in cuts]
        self.missing = [0] * len(cuts)
        self.classes: Counter[str] = Counter()
        self.scores = [0] * SCORE_BINS

    def add(self, event: dict[str, Any], cuts: list[list[float]]) -> None:
        self.predictions += 1
        if event.get("error") is not None:
            self.errors += 1
        latency = event.get("latency_ms")
        if latency is not None:
            self.latency[int(math.log(latency * 1000) / _STEP) if latency > 0.001 else 0] += 1
            self.latency_sum += latency
        features = event["features"]
        for place, name in enumerate(FEATURES):
            value = features.get(name)
            if value is None:
                self.missing[place] += 1
            else:
                self.bins[place][bisect_right(cuts[place], value)] += 1
        prediction = event["prediction"]
        probabilities = event["probabilities"]
        self.classes[prediction] += 1
        self.sure += probabilities[prediction]
        self.scores[min(int(probabilities["reject"] * SCORE_BINS), SCORE_BINS - 1)] += 1

    def summary(self) -> dict[str, Any]:
        return {
            "predictions": self.predictions,
            "errors": self.errors,
            "latency": [[bucket, count] for bucket, count in sorted(self.latency.items())],
            "latency_sum": self.latency_sum,
            "bins": self.bins,
            "missing": self.missing,
            "classes": self.classes,
            "scores": self.scores,
            "sure": self.sure,
        }


def run(broker: str, topic: str, out: str, group: str, count: int, directory: Path) -> None:
    """Counts `count` events, says so, and goes on."""
    app = faust.App(
        group,
        broker=f"kafka://{broker}",
        store="memory://",
        datadir=str(directory),
        value_serializer="raw",
        key_serializer="raw",
        consumer_auto_offset_reset="earliest",
        topic_disable_leader=True,
        web_enabled=False,
    )
    summaries = app.topic(out)
    references = baseline(0).features
    cuts = [reference.cuts for reference in references.values() if isinstance(reference, NumberReference)]

    @app.agent(app.topic(topic))  # type: ignore[untyped-decorator]
    async def count_predictions(events: AsyncIterator[bytes]) -> None:
        panes: dict[tuple[str, str, int], Pane] = {}
        watermark, seen = 0.0, 0
        async for value in events:
            event = orjson.loads(value)
            moment = datetime.fromisoformat(event["timestamp"]).timestamp()
            key = event["model"], event["version"], int(moment // PANE_S)
            pane = panes.get(key)
            if pane is None:
                pane = panes[key] = Pane(cuts)
            pane.add(event, cuts)
            if moment > watermark:
                watermark = moment
                if min(panes)[2] * PANE_S + PANE_S + LATENESS_S <= watermark:
                    for done in [one for one in panes if one[2] * PANE_S + PANE_S + LATENESS_S <= watermark]:
                        await summaries.send(value=orjson.dumps(panes.pop(done).summary()))
            seen += 1
            if seen == count:
                print(DONE, flush=True)

    @app.on_after_configured.connect  # type: ignore[untyped-decorator]
    async def tune(*_: object, **__: object) -> None:
        tune_collector()

    faust.Worker(app, loglevel="WARNING", redirect_stdouts=False, quiet=True).execute_from_commandline()


if __name__ == "__main__":
    broker, topic, out, group, count, directory = sys.argv[1:]
    run(broker, topic, out, group, int(count), Path(directory))

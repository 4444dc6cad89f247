"""`/metrics`: a collector over the newest snapshot of the worker. Nothing is counted for it anywhere else."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.metrics_core import SummaryMetricFamily
from prometheus_client.registry import Collector

from streams.counters import BUCKETS_S
from streams.series import Sample, units, within
from streams.snapshot import Counted, PartitionState, WorkerSnapshot

log = logging.getLogger(__name__)

PREFIX = "inferwatch_"
# Family: what it says. Names that end in `_total` are counters, those with a `quantile` are summaries of a window.
HELP = {
    "predictions_total": "Predictions counted, failed ones among them.",
    "errors_total": "Predictions that carried an error.",
    "labels_total": "Labels that met their prediction.",
    "late_events_total": "Predictions and labelled predictions that came after their pane was over.",
    "dead_letters_total": "Records and rows that could not be used.",
    "misrouted_total": "Records in another partition than murmur2 of their key: label and prediction do not meet.",
    "join_outcomes_total": "What became of the rows that were joined.",
    "join_given_up_total": "Predictions and labels, about, let go of before the horizon: one side is far behind.",
    "chunk_seconds": "Time to process a chunk, its sends acknowledged.",
    "consumer_lag": "Records of a partition of this worker that are still to be processed.",
    "watermark_seconds": "Event time that a partition of this worker has reached (Unix time).",
    "watermark_stalled_seconds": "Time for which event time of a partition of panes stands still; 0 while it goes on.",
    "watermark_held_back": "1 for each source partition that holds a stalled partition of panes back.",
    "accuracy": "Share of right predictions among those whose label became known in the newest window.",
    "estimated_accuracy": "Accuracy that the probabilities promise, calibrated where known, in the newest window.",
    "metric": "Metrics of the newest window, named as in its record.",
    "label_coverage": "Labels per prediction in the newest window.",
    "label_lag_seconds": "From a prediction to its label, in the newest window.",
    "prediction_latency_seconds": "Latency of predictions in the newest window, within 1 %.",
    "drift_score": "Distance of a feature's distribution from the baseline, in the newest window.",
    "drift_share": "Share of features that have drifted in the newest window.",
    "data_quality": "Data quality by feature, as in the window's record: shares of rows, the count of type_errors.",
    "resource_usage": "Means of the newest window by instance; the unit is in the resource's name.",
    "window_end_seconds": "End of the newest window (Unix time).",
    "incidents_open": "Alerts that fire and are not resolved.",
    "alerts_total": "Alerts that began to fire.",
    "retraining_requests_total": "Retraining requests made.",
    "segments_left_out_total": "Segments of panes that were not followed, beyond max_segments.",
    "cohorts_expired_total": "Totals of panes that came after the label horizon of their cohort.",
    "series_dropped_total": "Series that were left out to keep the series budget, each when it began to be.",
}
SUMMARIES = frozenset(("label_lag_seconds", "prediction_latency_seconds"))


class WorkerCollector(Collector):
    """Reads `newest()` at each scrape: it runs in the thread that serves pages, and touches nothing else.

    `budget`: how many series labelled by model there may be. Those of the worker itself are few, and always told.
    """

    def __init__(self, newest: Callable[[], WorkerSnapshot], budget: int) -> None:
        self.newest = newest
        self.budget = budget
        self.dropped = 0
        self._left_out = 0

    def collect(self) -> Iterator[Metric]:
        snapshot = self.newest()
        samples, left_out = within(units(snapshot.counted, snapshot.models), self.budget)
        self._leave_out(left_out)
        samples += _of_worker(snapshot.counted)
        samples += _of_partitions(snapshot.partitions)
        samples.append(Sample("series_dropped_total", {}, self.dropped))
        yield from _families(samples)
        yield from _chunks(snapshot.counted)

    def _leave_out(self, count: int) -> None:
        """A scrape repeats what the one before left out: only what is more than that is counted."""
        if count and not self.dropped:
            log.warning(
                "More than %d series: %d are left out, those of features and segments first (worker.series_budget)",
                self.budget,
                count,
            )
        self.dropped += max(count - self._left_out, 0)
        self._left_out = count


def registry_of(collector: Collector) -> CollectorRegistry:
    """A registry of its own, with the process's memory and CPU time beside the collector's series."""
    registry = CollectorRegistry()
    registry.register(collector)
    ProcessCollector(registry=registry)
    return registry


def _of_worker(counted: Counted) -> Iterator[Sample]:
    for reason, count in sorted(counted.dead_letters.items()):
        yield Sample("dead_letters_total", {"reason": reason}, count)
    for topic, count in sorted(counted.misrouted.items()):
        yield Sample("misrouted_total", {"topic": topic}, count)
    for (topic, outcome), count in sorted(counted.outcomes.items()):
        yield Sample("join_outcomes_total", {"topic": topic, "outcome": outcome}, count)
    yield Sample("join_given_up_total", {}, counted.given_up)


def _of_partitions(partitions: tuple[PartitionState, ...]) -> Iterator[Sample]:
    for state in partitions:
        labels = {"topic": state.topic, "partition": str(state.partition)}
        if state.lag is not None:
            yield Sample("consumer_lag", labels, state.lag)
        if state.watermark_ms is not None:
            yield Sample("watermark_seconds", labels, state.watermark_ms / 1000)
        if state.topic == "panes":
            yield Sample("watermark_stalled_seconds", labels, state.stalled.for_ms / 1000 if state.stalled else 0)
        for topic, partition in state.stalled.held_by if state.stalled else ():
            yield Sample("watermark_held_back", labels | {"by": f"{topic}-{partition}"}, 1)


def _families(samples: list[Sample]) -> Iterator[Metric]:
    """All samples of a family must stand together."""
    by_family: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_family[sample.family].append(sample)
    for name, text in HELP.items():
        if name in by_family:
            family = _kind(name)(PREFIX + name, text)
            for sample in by_family[name]:
                family.add_sample(PREFIX + name, sample.labels, sample.value)
            yield family


def _kind(name: str) -> Callable[[str, str], Metric]:
    if name in SUMMARIES:
        return SummaryMetricFamily
    return CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily


def _chunks(counted: Counted) -> Iterator[Metric]:
    family = HistogramMetricFamily(PREFIX + "chunk_seconds", HELP["chunk_seconds"], labels=["topic"])
    for topic, histogram in sorted(counted.chunks.items()):
        buckets = [(str(bound), float(count)) for bound, count in zip(BUCKETS_S, histogram.at_most, strict=True)]
        family.add_metric([topic], [*buckets, ("+Inf", float(histogram.count))], histogram.total_s)
    if family.samples:
        yield family

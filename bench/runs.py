"""One run: a variant's input, its process, and when that process has done all of it."""

import asyncio
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from app.settings import LabelSettings, ModelSettings, Settings, TopicSettings, WindowSettings, WorkerSettings
from bench import limit, traffic
from bench.kafka import PARTITIONS, Cluster, Filled
from bench.live import feed
from bench.process import PATIENCE_S, SLOWEST_ROWS_A_S, Failed, Process, Sample
from bench.progress import Progress
from bench.stores import disk_mb, fill_stores
from bench.variants import LATENCY, LIMIT, REBUILD, STOCK, Variant
from streams.topics import topic_name

# Older than what counts as live: so the last window closes as soon as its partitions are idle.
START_MS = 1_790_000_000_000
INFERWATCH = str(Path(sys.executable).with_name("inferwatch"))
LOOK_S = 0.01  # between two questions whether a group has its partitions
SOURCES = {"predictions": traffic.single, "labels": traffic.labels, "batches": traffic.batches}


@dataclass(frozen=True, slots=True)
class Result:
    """One run over `rows` rows in `records` records. `cpu_s`: from the moment when the process had its partitions.

    `start_cpu_s`: before it. `main_share`: of `cpu_s`, by the main thread. `seconds`: until everything was counted.
    `quarter_rss_mb`, `rss_mb`: the memory when a quarter was counted (of a worker only), and when all was.
    `figures`: what else there is to tell, by what it is.
    """

    variant: str
    rows: int
    records: int
    value_bytes: int
    cpu_s: float
    start_cpu_s: float
    main_share: float
    seconds: float
    quarter_rss_mb: float | None
    rss_mb: float
    peak_mb: float
    figures: dict[str, float] = field(default_factory=dict)

    @property
    def cpu_s_per_million(self) -> float:
        return self.cpu_s / self.rows * 1e6

    @property
    def per_second(self) -> float:
        return self.rows / self.seconds


def run(variant: Variant, events: int, cluster: Cluster, directory: Path) -> Result:
    """Measures one run in topics of its own, which are removed afterwards. Raises Failed."""
    prefix = f"{directory.name}-"
    rows = max(round(events * variant.share), traffic.BATCH_ROWS)
    directory.mkdir()
    own = {LIMIT: _run_limit, STOCK: _run_stock, REBUILD: run_rebuild, LATENCY: run_latency}
    measure = own.get(variant, _run_worker)
    try:
        return measure(variant, rows, cluster, prefix, directory)
    finally:
        cluster.remove(prefix)


def settings_for(variant: Variant, broker: str, prefix: str, directory: Path) -> Settings:
    """The settings of a worker: all defaults but what the variant is about, and a short wait for the last window."""
    return Settings(
        broker=broker,
        topic_prefix=prefix,
        data_dir=directory / "data",
        worker=WorkerSettings(port=_free_port(), host="127.0.0.1"),
        windows=WindowSettings(idle_after_s=1),
        topics=TopicSettings(partitions=PARTITIONS),
        labels=LabelSettings(horizon_s=variant.horizon_s),
        models={traffic.MODEL: ModelSettings(join=variant.join, segments=list(variant.segments))},
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _prepare(variant: Variant, rows: int, cluster: Cluster, settings: Settings) -> dict[str, Filled]:
    """Topics of the service with the input and the baseline in them."""
    cluster.create_all(settings)
    asyncio.run(cluster.publish_baseline(settings, START_MS))
    filled = {"predictions": _fill(cluster, settings, "predictions", rows, variant.batches)}
    if variant.join:
        filled["labels"] = _fill(cluster, settings, "labels", rows)
    return filled


def _fill(cluster: Cluster, settings: Settings, topic: str, rows: int, batches: bool = False) -> Filled:
    source = SOURCES["batches" if batches else topic]
    return asyncio.run(cluster.fill(topic_name(settings, topic), _slices(source, rows)))


def _slices(
    source: Callable[[traffic.Rows], Iterator[traffic.Record]], rows: int
) -> Iterator[Iterator[traffic.Record]]:
    return map(source, traffic.slices(rows, START_MS))


def _run_worker(variant: Variant, rows: int, cluster: Cluster, prefix: str, directory: Path) -> Result:
    return run_worker(variant, rows, cluster, prefix, directory, [INFERWATCH, "worker", "--config"])


def run_worker(
    variant: Variant, rows: int, cluster: Cluster, prefix: str, directory: Path, command: list[str]
) -> Result:
    """`command` runs the worker of the configuration file that is put behind it."""
    settings = settings_for(variant, cluster.address, prefix, directory)
    filled = _prepare(variant, rows, cluster, settings)
    if variant.waiting:
        fill_stores(settings, variant.waiting * rows, START_MS)
    config = write_config(settings, directory)
    ends = {(topic, number): end for topic, one in filled.items() for number, end in one.ends.items()}
    progress = Progress(settings)
    try:
        patience_s = max(PATIENCE_S, rows / SLOWEST_ROWS_A_S)
        with Process([*command, str(config)], directory / "worker.log", patience_s) as process:
            begun = _until_assigned(process, cluster, f"{prefix}inferwatch")
            progress.until(lambda: 4 * progress.positions.total() >= sum(ends.values()), process)
            quarter, quarter_disk = process.sample(), disk_mb(settings)
            progress.until(lambda: progress.ingested(ends), process)
            ingested = process.sample()
            fields = ["predictions", "labels"] if variant.join else ["predictions"]
            progress.until(lambda: all(progress.counted(field) >= rows for field in fields), process)
            disk = {"disk after a quarter, MB": quarter_disk, "disk after all, MB": disk_mb(settings)}
            figures = disk if variant.join else {}
            return result_of(variant, list(filled.values()), begun, quarter, ingested, process.sample(), figures)
    except Failed as error:
        counted = {field: progress.counted(field) for field in ("predictions", "labels")}
        missing = {source: end - progress.positions[source] for source, end in ends.items()}
        raise Failed(f"of {rows} rows the windows count {counted}, parts lack {missing}: {error}") from error
    finally:
        progress.close()


def _run_limit(variant: Variant, rows: int, cluster: Cluster, prefix: str, directory: Path) -> Result:
    topic, group = f"{prefix}predictions", f"{prefix}limit"
    arguments = ["bench.limit", cluster.address, topic, group, str(rows)]
    return _run_reader(variant, rows, cluster, topic, group, arguments, directory)


def _run_stock(variant: Variant, rows: int, cluster: Cluster, prefix: str, directory: Path) -> Result:
    topic, out, group = f"{prefix}predictions", f"{prefix}panes", f"{prefix}stock"
    cluster.create(out)
    arguments = ["bench.stock", cluster.address, topic, out, group, str(rows), str(directory / "faust")]
    return _run_reader(variant, rows, cluster, topic, group, arguments, directory)


def _run_reader(
    variant: Variant, rows: int, cluster: Cluster, topic: str, group: str, arguments: list[str], directory: Path
) -> Result:
    """A process that says itself when it is done."""
    cluster.create(topic)
    filled = asyncio.run(cluster.fill(topic, _slices(traffic.single, rows)))
    with Process([sys.executable, "-m", *arguments], directory / "process.log") as process:
        begun = _until_assigned(process, cluster, group)
        process.until_it_says(limit.DONE.encode())
        done = process.sample()
        return result_of(variant, [filled], begun, None, done, done)


def run_rebuild(variant: Variant, rows: int, cluster: Cluster, prefix: str, directory: Path) -> Result:
    """All but one record of each partition is committed, and there is no store: until there is one of each again."""
    settings = settings_for(variant, cluster.address, prefix, directory)
    filled = _prepare(variant, rows, cluster, settings)
    for topic, one in filled.items():
        ends = {number: end - 1 for number, end in one.ends.items()}
        cluster.commit(f"{prefix}inferwatch", topic_name(settings, topic), ends)
    command = [INFERWATCH, "worker", "--config", str(write_config(settings, directory))]
    with Process(command, directory / "worker.log", patience_s=3600) as process:
        begun = _until_assigned(process, cluster, f"{prefix}inferwatch")
        process.until_log_has("the join's store is complete again", PARTITIONS)
        done = process.sample()
        figures = {"minutes for 10 million": (done.at_s - begun.at_s) / rows * 1e7 / 60, "disk, MB": disk_mb(settings)}
        return result_of(variant, list(filled.values()), begun, None, done, done, figures)


def run_latency(variant: Variant, rows: int, cluster: Cluster, prefix: str, directory: Path) -> Result:
    """`rows` predictions as they happen, each with its label a second later; windows of a second."""
    settings = settings_for(variant, cluster.address, prefix, directory)
    windows = WindowSettings(pane_s=1, tumbling_s=[1], hopping_s=[], allowed_lateness_s=1)
    settings = settings.model_copy(update={"windows": windows})
    cluster.create_all(settings)
    asyncio.run(cluster.publish_baseline(settings, START_MS))
    command = [INFERWATCH, "worker", "--config", str(write_config(settings, directory))]
    with Process(command, directory / "worker.log") as process:
        begun = _until_assigned(process, cluster, f"{prefix}inferwatch")
        live = asyncio.run(feed(settings, rows))
        progress = Progress(settings)
        try:
            progress.until(lambda: progress.counted("labels") >= rows, process)
            done = process.sample()
            return result_of(variant, [live.filled], begun, None, done, done, live.delays(progress.published))
        finally:
            progress.close()


def write_config(settings: Settings, directory: Path) -> Path:
    config = directory / "inferwatch.yaml"
    config.write_bytes(orjson.dumps(settings.model_dump(mode="json", exclude_none=True)))
    return config


def _until_assigned(process: Process, cluster: Cluster, group: str) -> Sample:
    while not cluster.is_stable(group):
        process.check()
        time.sleep(LOOK_S)
    return process.sample()


def result_of(
    variant: Variant,
    filled: list[Filled],
    begun: Sample,
    quarter: Sample | None,
    counted: Sample,
    done: Sample,
    figures: dict[str, float] | None = None,
) -> Result:
    cpu_s = done.cpu_s - begun.cpu_s
    return Result(
        variant=variant.name,
        rows=filled[0].rows,
        records=sum(one.ends.total() for one in filled),
        value_bytes=sum(one.value_bytes for one in filled),
        cpu_s=cpu_s,
        start_cpu_s=begun.cpu_s,
        main_share=(done.main_s - begun.main_s) / cpu_s,
        seconds=counted.at_s - begun.at_s,
        quarter_rss_mb=None if quarter is None else quarter.rss_mb,
        rss_mb=counted.rss_mb,
        peak_mb=done.peak_mb,
        figures=figures or {},
    )

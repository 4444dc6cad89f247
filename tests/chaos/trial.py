"""A trial: workers under traffic, faults at moments of chance, and in the end everything as if nothing had happened."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from random import Random

from app.config.window_settings import WindowSettings
from app.settings import Settings
from tests.chaos.endless import endless_traffic
from tests.chaos.feed import Feed
from tests.chaos.fleet import Fleet
from tests.chaos.table import ROWS, Row
from tests.chaos.truth import Truth
from tests.kafka.harness import create_topics, grown

Fault = Callable[[Fleet, Random], Awaitable[str]]
# Many of them begin and end between two faults.
BLOCK_RECORDS = 1000
# Records on `panes` between two faults: from right after the last one to some seconds later.
FEWEST, MOST = 4, 40
SHOWN = 30


def trial_settings(broker: str, directory: Path, name: str) -> Settings:
    """Cohorts are short, and their revisions are published with each pane: so the last one holds everything."""
    windows = WindowSettings(cohort_s=60, cohort_revision_s=10)
    return Settings(
        broker=broker,
        topic_prefix=f"{name}-",
        data_dir=directory / "data",
        worker={"block_records": BLOCK_RECORDS},  # type: ignore[arg-type]
        windows=windows,
    )


async def endure(
    settings: Settings, directory: Path, faults: Sequence[Fault], *, seed: int, workers: int = 1, one_disk: bool = True
) -> None:
    """Fails if any window or cohort differs from the truth after the faults. The same seed does the same again.

    Without `one_disk` each worker has its own: a partition that moves finds no store, and it is made anew.
    """
    create_topics(settings)
    random = Random(seed)
    records = endless_traffic(seed)
    done: list[str] = []
    with Fleet(settings, directory, one_disk=one_disk) as fleet:
        for _ in range(workers):
            fleet.join()
        async with Feed(settings, records) as feed:
            await fleet.settled()
            for fault in faults:
                await grown(settings, "panes", random.randint(FEWEST, MOST), fleet)
                done.append(await fault(fleet, random))
            await grown(settings, "panes", MOST, fleet)
            await feed.stop()
        truth = await Truth.of(settings)
        found = await truth.differences(settings, fleet)
    name = settings.topic_prefix.removesuffix("-")
    ROWS.append(Row(name, len(done), seed, truth.events, len(truth.windows), len(truth.cohorts), len(found)))
    assert not found, "\n".join([f"seed {seed}, {len(found)} differences after: {', '.join(done)}", *found[:SHOWN]])

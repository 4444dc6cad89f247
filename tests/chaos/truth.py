"""All that was published of a trial, held against what a batch job over the produced records says."""

from collections.abc import Iterator, Sequence
from typing import Any

from app.settings import Settings
from tests.chaos.feed import produced
from tests.kafka.harness import NotEnough, Published, Running, counted, tumbling
from tests.traffic import Sent
from tests.truth import Key, differences, expected_cohorts, expected_windows

Windows = Sequence[dict[str, Any]]
MINUTE = 60_000


class Truth:
    """`windows`, `cohorts`: as they must be."""

    def __init__(self, events: int, windows: dict[Key, dict[str, Any]], cohorts: dict[Key, dict[str, Any]]) -> None:
        self.events = events
        self.windows = windows
        self.cohorts = cohorts

    @classmethod
    async def of(cls, settings: Settings) -> "Truth":
        return cls.from_records(settings, await produced(settings, "predictions"), await produced(settings, "labels"))

    @classmethod
    def from_records(cls, settings: Settings, predictions: Sequence[Sent], labels: Sequence[Sent]) -> "Truth":
        """Of records in the order in which they lie in their partitions."""
        windows = expected_windows(predictions, labels, settings.windows, MINUTE)
        cohorts = expected_cohorts(predictions, labels, settings.windows)
        return cls(len(predictions) + len(labels), windows, cohorts)

    async def differences(self, settings: Settings, worker: Running) -> list[str]:
        """Waits until as much is published as must be; then every way in which it is something else."""
        published = Published(settings, "windows")
        missing: list[str] = []
        try:
            await published.until(lambda seen: self._whole(seen.records["windows"]), worker)
        except NotEnough as error:
            missing.append(str(error))
        made = published.records["windows"]
        return [
            *differences(tumbling(made), self.windows),
            *self._of_cohorts(made),
            *_changed([window for window in made if window["kind"] == "cohort"]),
            *missing,
        ]

    def _of_cohorts(self, made: Windows) -> list[str]:
        last = _last([window for window in made if window["kind"] == "cohort"])
        return [f"cohort {text}" for text in differences(list(last.values()), self.cohorts)]

    def _whole(self, made: Windows) -> bool:
        """Whether all is counted. Corrections may still revise a cohort in which all labels are."""
        return (
            all(counted(made, field) >= _total(self.windows, field) for field in ("predictions", "labels"))
            and len({window["window_id"] for window in tumbling(made)}) >= len(self.windows)
            and not self._of_cohorts(made)
        )


def _total(expected: dict[Key, dict[str, Any]], field: str) -> int:
    return sum(window[field] for (_, segment, _), window in expected.items() if segment == "{}")


def _last(cohorts: Windows) -> dict[str, dict[str, Any]]:
    """The newest revision of each."""
    found: dict[str, dict[str, Any]] = {}
    for window in cohorts:
        known = found.get(window["window_id"])
        if known is None or window["revision"] >= known["revision"]:
            found[window["window_id"]] = window
    return found


def _changed(cohorts: Windows) -> Iterator[str]:
    """Revisions that were published twice and not the same."""
    first: dict[tuple[str, int], dict[str, Any]] = {}
    for window in cohorts:
        known = first.setdefault((window["window_id"], window["revision"]), window)
        if known != window:
            yield f"cohort {window['start']} {window['segment']}: revision {window['revision']} twice and not the same"
